package faults

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ErrClosed is returned by a Proxy that has been closed.
var ErrClosed = errors.New("fault proxy is closed")

// Proxy stands in front of one API server. All methods are safe for concurrent use.
type Proxy struct {
	opts       Options
	addr       *net.TCPAddr
	state      *lockedState
	counters   counters
	terminator *terminator
	changes    chan change
	closing    chan struct{} // closed by the first Close
	closeOnce  sync.Once
	closed     chan struct{} // closed when everything has ended
}

// change asks the proxy's own goroutine, which alone opens and closes the listener, for another
// fault.
type change struct {
	fault Fault
	done  chan error
}

// Start listens and serves until Close. It returns what is wrong with opts, and the error of
// listening; with Terminate also that of a file that cannot be read.
func Start(opts Options) (*Proxy, error) {
	opts = opts.withDefaults()
	if err := opts.check(); err != nil {
		return nil, err
	}
	p := &Proxy{
		opts: opts, state: newState(opts.Target),
		changes: make(chan change), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	p.terminator = newTerminator(p)
	if opts.Terminate {
		if err := p.terminator.files.check(); err != nil {
			return nil, err
		}
	}
	port, err := openPort(opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", opts.Listen, err)
	}
	p.addr = port.addr
	p.terminator.start()
	go p.run(port)
	return p, nil
}

// Addr returns the host:port that clients dial. It stays the same for the life of the Proxy.
func (p *Proxy) Addr() string { return p.addr.String() }

// Fault returns the fault that is on, with its defaults filled in. After a cut, which is over at
// once, that is pass.
func (p *Proxy) Fault() Fault { return p.state.current().fault }

// Set switches to f; the fault before ends. When it returns, f acts on all that comes after. It
// returns what is wrong with f; the error of a file that is needed to terminate TLS, or of
// listening again after refuse, and then nothing has changed; or ErrClosed.
func (p *Proxy) Set(f Fault) error {
	f, err := f.checked()
	if err != nil {
		return err
	}
	c := change{fault: f, done: make(chan error, 1)}
	select {
	case p.changes <- c:
		return <-c.done
	case <-p.closing:
		return ErrClosed
	}
}

// SetTarget sends new connections, and new requests on terminated ones, to another host:port, as
// after a restart of the API server on another port. What is under way stays where it is. It does
// no I/O.
func (p *Proxy) SetTarget(addr string) error {
	if err := checkTarget(addr); err != nil {
		return err
	}
	p.state.retarget(addr)
	return nil
}

// Close ends every connection and waits until all is gone. Closing again does nothing but wait.
func (p *Proxy) Close() error {
	p.closeOnce.Do(func() { close(p.closing) })
	<-p.closed
	return nil
}

// run owns the port.
func (p *Proxy) run(port *port) {
	defer close(p.closed)
	accepting := sync.WaitGroup{}
	accept := func(ln *net.TCPListener) { accepting.Go(func() { p.accept(ln) }) }
	accept(port.listener)
	for {
		select {
		case c := <-p.changes:
			c.done <- p.change(port, c.fault, accept)
		case <-p.closing:
			port.close()
			accepting.Wait()
			for _, l := range p.state.shut() {
				l.end(errClosed)
			}
			p.terminator.close()
			p.state.joined.Wait()
			return
		}
	}
}

// change puts f in the place of the fault before.
func (p *Proxy) change(port *port, f Fault, accept func(*net.TCPListener)) error {
	if f.terminates() {
		if err := p.terminator.files.check(); err != nil {
			return fmt.Errorf("fault %q: %w", f, err)
		}
	}
	reopened := f.Kind != Refuse && port.listener == nil
	if reopened {
		if err := port.listen(); err != nil {
			return fmt.Errorf("listening again on %q: %w", p.addr, err)
		}
	}
	links, flights := p.state.change(f)
	if f.Kind == Refuse {
		port.refuse()
	}
	p.endAll(f, links, flights)
	if reopened {
		accept(port.listener)
	}
	p.opts.Log.Info("fault switched", "fault", f.String())
	return nil
}

// endAll ends what the beginning of f ends.
func (p *Proxy) endAll(f Fault, links []*link, flights []*flight) {
	how := errHungUp
	if f.Kind == Reset && f.On == All {
		how = errReset
	}
	for _, l := range links {
		if f.Kind == Reset || f.Kind == Refuse || f.Kind == Cut {
			p.counters.injected.Add(1)
		}
		l.end(how)
	}
	for _, fl := range flights {
		p.counters.injected.Add(1)
		fl.end(f.Kind)
	}
}

// accept takes connections in until ln closes.
func (p *Proxy) accept(ln *net.TCPListener) {
	for {
		conn, err := ln.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, or a client that left in the queue: that passes
			p.opts.Log.V(1).Info("accepting", "error", err.Error())
			select {
			case <-p.opts.Clock.After(10 * time.Millisecond):
			case <-p.closing:
			}
			continue
		}
		p.counters.accepted.Add(1)
		if l := newLink(p, conn); p.state.join(l) {
			go l.serve()
		} else {
			l.end(errClosed)
		}
	}
}

// pause waits until r ends or, unless that is zero, d has passed; false means that ctx ended first.
func (p *Proxy) pause(ctx context.Context, r *regime, d time.Duration) bool {
	var passed <-chan time.Time
	if d > 0 {
		timer := p.opts.Clock.NewTimer(d)
		defer timer.Stop()
		passed = timer.C()
	}
	select {
	case <-r.ended:
	case <-passed:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func (p *Proxy) targetFailed(err error) {
	p.counters.targetErrors.Add(1)
	p.opts.Log.V(1).Info("target failed", "target", p.state.targetAddr(), "error", err.Error())
}
