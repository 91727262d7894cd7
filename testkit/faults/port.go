package faults

import (
	"io"
	"net"
)

// port is one TCP port that can stop listening and listen again. It is not safe for concurrent use.
type port struct {
	addr     *net.TCPAddr
	listener *net.TCPListener // nil while refusing
	hold     io.Closer        // keeps others off the port, above all while refusing
}

// openPort reserves the host:port and listens on it.
func openPort(listen string) (*port, error) {
	addr, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return nil, err
	}
	p := &port{}
	if p.addr, p.hold, err = reserve(addr); err != nil {
		return nil, err
	}
	if err := p.listen(); err != nil {
		_ = p.hold.Close()
		return nil, err
	}
	return p, nil
}

func (p *port) listen() error {
	listener, err := net.ListenTCP("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener = listener
	p.addr = listener.Addr().(*net.TCPAddr)
	return nil
}

// refuse stops listening; the kernel then answers connection attempts with a reset.
func (p *port) refuse() {
	if p.listener != nil {
		_ = p.listener.Close() // fails only when closed already
		p.listener = nil
	}
}

func (p *port) close() {
	p.refuse()
	_ = p.hold.Close() // the port is given up either way
}
