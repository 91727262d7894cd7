package faults

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// drainTimeout is how long a client that was hung up on may go on sending: closing earlier would
	// turn the FIN into a reset.
	drainTimeout = time.Second
)

// How a link ends.
var (
	errReset  = errors.New("reset")
	errHungUp = errors.New("hung up")
	errClosed = errors.New("closed")
)

// route says where a link leads.
type route int

const (
	undecided route = iota
	atTarget        // passed through
	atProxy         // terminated
)

// link is one client connection and what it is joined to: the target, or the terminator through a
// pipe.
type link struct {
	victim
	proxy  *Proxy
	client *net.TCPConn
	route  route // guarded by lockedState
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newLink(p *Proxy, client *net.TCPConn) *link {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &link{proxy: p, client: client, ctx: ctx, cancel: cancel}
}

// endedBy reports whether the beginning of next ends the connection. The caller holds the state's
// lock.
func (l *link) endedBy(next Fault) bool {
	switch {
	case next.On == All && (next.Kind == Reset || next.Kind == Refuse):
		return true
	case next.Kind == Cut || next.terminates():
		return l.route == atTarget
	default:
		return false
	}
}

// end ends the connection: errReset with a RST, errHungUp with a FIN after all that was sent,
// errClosed at once.
func (l *link) end(how error) {
	l.cancel(how)
	switch {
	case errors.Is(how, errHungUp):
		_ = l.client.CloseWrite() // fails on a client that is gone already
	case errors.Is(how, errReset):
		_ = l.client.SetLinger(0)
		_ = l.client.Close()
	default:
		_ = l.client.Close()
	}
}

// serve carries the connection until it ends.
func (l *link) serve() {
	defer l.proxy.state.leave(l)
	defer func() { _ = l.client.Close() }()
	defer l.cancel(errClosed)
	if !l.admitted() {
		return
	}
	server, err := l.connect()
	if err != nil {
		l.failed(err)
		return
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(l.ctx, func() {
		defer close(interrupted)
		_ = server.Close()
		_ = l.client.SetReadDeadline(time.Unix(1, 0))
	})
	var pumps sync.WaitGroup
	pumps.Go(func() { l.pump(server, l.client, false) })
	pumps.Go(func() { l.pump(l.client, server, true) })
	pumps.Wait()
	if stop() {
		_ = server.Close()
		return
	}
	<-interrupted
	if errors.Is(context.Cause(l.ctx), errHungUp) {
		_ = l.client.SetReadDeadline(time.Now().Add(drainTimeout))
		_, _ = io.Copy(io.Discard, l.client)
	}
}

// admitted lets the faults on dialling act; false means that the connection has ended.
func (l *link) admitted() bool {
	since := l.proxy.opts.Clock.Now()
	for {
		var wait time.Duration
		r := l.proxy.state.current()
		switch {
		case r.fault.dials(Reset):
			l.hit(&l.proxy.counters, r)
			l.end(errReset)
			return false
		case r.fault.dials(Refuse): // it was in the listener's queue
			l.hit(&l.proxy.counters, r)
			return false
		case r.fault.dials(Blackhole):
		case r.fault.dials(Latency):
			if wait = r.fault.Latency - l.proxy.opts.Clock.Since(since); wait <= 0 {
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
}

// connect joins the link to the target or to the terminator.
func (l *link) connect() (net.Conn, error) {
	target, terminated := l.proxy.state.route(l, l.proxy.opts.Terminate)
	if terminated {
		return l.proxy.terminator.connect(l)
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	return dialer.DialContext(l.ctx, "tcp", target)
}

// failed notes that the target broke off, unless that is the end of the link's own making, and lets
// the client feel it.
func (l *link) failed(err error) {
	if l.ctx.Err() != nil {
		return
	}
	l.proxy.targetFailed(err)
	l.end(errReset)
}
