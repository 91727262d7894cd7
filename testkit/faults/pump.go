package faults

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	chunkSize = 32 << 10
	// queueLength bounds what one direction of a connection holds, in chunks: enough to keep a late
	// connection fast.
	queueLength = 256
)

// chunk is what one Read returned, and when.
type chunk struct {
	at   time.Time
	data []byte
	err  error
}

// pump carries one direction, down being from the server, until it ends. Reading runs ahead of
// writing, so that latency delays bytes without slowing their flow.
func (l *link) pump(dst, src net.Conn, down bool) {
	queue := make(chan chunk, queueLength)
	var reader sync.WaitGroup
	reader.Go(func() { l.read(src, queue) })
	l.write(dst, queue, down)
	reader.Wait()
}

func (l *link) read(src net.Conn, queue chan<- chunk) {
	defer close(queue)
	buf := make([]byte, chunkSize)
	for {
		n, err := src.Read(buf)
		c := chunk{at: l.proxy.opts.Clock.Now(), data: append([]byte(nil), buf[:n]...), err: err}
		select {
		case queue <- c:
		case <-l.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (l *link) write(dst net.Conn, queue <-chan chunk, down bool) {
	for c := range queue {
		if !l.due(c.at, down) {
			return
		}
		if _, err := dst.Write(c.data); err != nil {
			l.broken(err, !down)
			return
		}
		switch {
		case errors.Is(c.err, io.EOF):
			l.closeWrite(dst)
		case c.err != nil:
			l.broken(c.err, down)
		}
	}
}

// due waits until a chunk read at this time may go on; false means that the link has ended.
func (l *link) due(at time.Time, down bool) bool {
	for l.ctx.Err() == nil {
		var wait time.Duration
		r := l.proxy.state.current()
		switch {
		case r.fault.silences():
		case down && r.fault.lag() > 0:
			if wait = r.fault.lag() - l.proxy.opts.Clock.Since(at); wait <= 0 {
				return true
			}
		default:
			return true
		}
		l.hit(&l.proxy.counters, r)
		if !l.proxy.pause(l.ctx, r, wait) {
			return false
		}
	}
	return false
}

// closeWrite passes the end of one direction on. A pipe has no halves, and who ends one half of an
// HTTP connection is done.
func (l *link) closeWrite(dst net.Conn) {
	half, ok := dst.(*net.TCPConn)
	if !ok || l.piped() {
		l.end(errHungUp)
		return
	}
	_ = half.CloseWrite() // fails when the other direction has broken, which that one reports
}

// broken ends the link after an error of the server's side or of the client's.
func (l *link) broken(err error, server bool) {
	if server {
		l.failed(err)
		return
	}
	if l.ctx.Err() == nil {
		l.end(errReset)
	}
}

func (l *link) piped() bool {
	l.proxy.state.mu.Lock()
	defer l.proxy.state.mu.Unlock()
	return l.route == atProxy
}
