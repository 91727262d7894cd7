package faults

import "sync/atomic"

// Stats counts what a Proxy has seen since Start. Open, Terminated and OpenWatches are as of now,
// the rest only grows.
type Stats struct {
	// Open is the number of client connections, Terminated how many of them end at the proxy instead
	// of the target.
	Open, Terminated int
	// OpenWatches is the number of watches whose response has begun; passed-through ones are not seen.
	OpenWatches int
	// Accepted is the number of client connections so far.
	Accepted uint64
	// Lists, Watches and Writes are the requests on terminated connections by scope, before any fault
	// acts on them.
	Lists, Watches, Writes uint64
	// Injected counts a connection or request once for each fault that acted on it. Refused
	// connections are not seen.
	Injected uint64
	// TargetErrors is the number of connections and requests that the target did not take or broke
	// off.
	TargetErrors uint64
}

// counters is the growing half of Stats. Safe for concurrent use.
type counters struct {
	accepted, lists, watches, writes, injected, targetErrors atomic.Uint64
}

func (c *counters) request(s Scope) {
	switch s {
	case Watch:
		c.watches.Add(1)
	case Write:
		c.writes.Add(1)
	default:
		c.lists.Add(1)
	}
}

// victim remembers which regime has been counted against a connection or request.
type victim struct{ last atomic.Pointer[regime] }

func (v *victim) hit(c *counters, r *regime) {
	if v.last.Swap(r) != r {
		c.injected.Add(1)
	}
}

// Stats returns the counts. It does no I/O and is safe for concurrent use.
func (p *Proxy) Stats() Stats {
	out := Stats{
		Accepted: p.counters.accepted.Load(), Lists: p.counters.lists.Load(), Watches: p.counters.watches.Load(),
		Writes: p.counters.writes.Load(), Injected: p.counters.injected.Load(), TargetErrors: p.counters.targetErrors.Load(),
	}
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	out.Open = len(p.state.links)
	for l := range p.state.links {
		if l.route == atProxy {
			out.Terminated++
		}
	}
	for f := range p.state.flights {
		if f.open && f.scope == Watch {
			out.OpenWatches++
		}
	}
	return out
}
