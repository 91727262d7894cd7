package faults

import (
	"net"
	"sync"
)

// pipes is the listener of a server whose connections come from this process.
type pipes struct {
	waiting chan net.Conn
	stopped chan struct{}
	once    sync.Once
}

func newPipes() *pipes { return &pipes{waiting: make(chan net.Conn), stopped: make(chan struct{})} }

// connect hands the server one end of a new pipe and returns the other.
func (p *pipes) connect(l *link) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.waiting <- &pipeEnd{Conn: theirs, link: l}:
		return ours, nil
	case <-p.stopped:
		return nil, ErrClosed
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.waiting:
		return c, nil
	case <-p.stopped:
		return nil, net.ErrClosed
	}
}

func (p *pipes) stop() { p.once.Do(func() { close(p.stopped) }) }

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.stop()
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// pipeEnd is the server's end.
type pipeEnd struct {
	net.Conn
	link *link
}

// RemoteAddr returns the client's address instead of the pipe's.
func (p *pipeEnd) RemoteAddr() net.Addr { return p.link.client.RemoteAddr() }
