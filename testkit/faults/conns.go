package faults

import (
	"context"
	"net"
	"sync"
)

// lockedConns are the connections to the API server and the attempts at one, so that none outlives
// the proxy. Its lock is never held during I/O.
type lockedConns struct {
	mu      sync.Mutex
	open    map[*conn]struct{}
	closed  bool
	dialing sync.WaitGroup
	ctx     context.Context // ends with close
	cancel  context.CancelFunc
}

// conn is one of them.
type conn struct {
	net.Conn
	all *lockedConns
}

func newConns() *lockedConns {
	c := &lockedConns{open: map[*conn]struct{}{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// dial runs dial with a context that also ends with close, which waits for it.
func (c *lockedConns) dial(ctx context.Context, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	c.dialing.Add(1)
	c.mu.Unlock()
	defer c.dialing.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	return dial(ctx)
}

// track has close end a connection.
func (c *lockedConns) track(plain net.Conn) *conn {
	tracked := &conn{Conn: plain, all: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[tracked] = struct{}{}
	return tracked
}

// Close closes the connection and forgets it.
func (c *conn) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// close ends all of them, and keeps new ones from starting.
func (c *lockedConns) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.dialing.Wait()
	c.mu.Lock()
	open := c.open
	c.open = map[*conn]struct{}{}
	c.mu.Unlock()
	for conn := range open {
		_ = conn.Conn.Close()
	}
}
