package standin

import (
	"context"
	"maps"
	"sync"
)

// gate holds answers back while it is closed. The zero value is open; it is safe for concurrent
// use.
type gate struct {
	mu     sync.Mutex
	locked chan struct{} // closed when the gate opens; nil while it is open
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case shut && g.locked == nil:
		g.locked = make(chan struct{})
	case !shut && g.locked != nil:
		close(g.locked)
		g.locked = nil
	}
}

// pass waits until the gate is open. open is false where ctx ended before.
func (g *gate) pass(ctx context.Context) (open bool) {
	g.mu.Lock()
	opens := g.locked
	g.mu.Unlock()
	if opens == nil {
		return true
	}
	select {
	case <-opens:
		return true
	case <-ctx.Done():
		return false
	}
}

// calls counts requests. The zero value has none; it is safe for concurrent use.
type calls struct {
	mu     sync.Mutex
	locked map[string]int
}

func (c *calls) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locked == nil {
		c.locked = map[string]int{}
	}
	c.locked[what]++
}

func (c *calls) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.locked)
}
