package plugin

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// A configuration is the plugins of one list of entries. It does not change: another list is
// another configuration, which may have members in common with it.
type configuration struct {
	generation int64
	members    []member
	asked      sync.WaitGroup // one a chain that is being asked
}

// A member is a plugin in its place in the chain.
type member struct {
	*supervisor
	onError placement.ErrorPolicy
}

// follow returns the configuration of other entries. Plugins that are in both with the same entry
// go on as they are; fresh are those that are to be started.
func (c *configuration) follow(options Options) (next *configuration, fresh []*supervisor) {
	next = &configuration{generation: c.generation + 1}
	for _, entry := range options.Entries {
		s := c.keep(entry)
		if s == nil {
			s = newSupervisor(entry, options, next.generation)
			fresh = append(fresh, s)
		}
		next.members = append(next.members, member{supervisor: s, onError: entry.OnError})
	}
	return next, fresh
}

// keep is the plugin that can go on under the entry: what a failure means is the chain's business,
// not the plugin's.
func (c *configuration) keep(entry Entry) *supervisor {
	for _, m := range c.members {
		has := m.entry
		has.OnError = entry.OnError
		if reflect.DeepEqual(has, entry) {
			return m.supervisor
		}
	}
	return nil
}

// has reports whether a plugin of that name is in the configuration.
func (c *configuration) has(name string) bool {
	return slices.ContainsFunc(c.members, func(m member) bool { return m.entry.Name == name })
}

// without are the plugins that are not in another configuration.
func (c *configuration) without(other *configuration) []*supervisor {
	var gone []*supervisor
	for _, m := range c.members {
		if !slices.ContainsFunc(other.members, func(o member) bool { return o.supervisor == m.supervisor }) {
			gone = append(gone, m.supervisor)
		}
	}
	return gone
}

// reconnect has side-cars configured again that others, who have given up, have configured
// meanwhile.
func (c *configuration) reconnect(others []*supervisor) {
	for _, m := range c.members {
		running := m.view().instance
		if m.entry.Socket == "" || running == nil {
			continue
		}
		if slices.ContainsFunc(others, func(o *supervisor) bool { return o.entry.Socket == m.entry.Socket }) {
			running.carrier.stop()
		}
	}
}

func (c *configuration) chain() placement.Chain {
	chain := make(placement.Chain, len(c.members))
	for i, m := range c.members {
		chain[i] = placement.Link{Strategy: remote{m.supervisor}, OnError: m.onError}
	}
	return chain
}

// drain waits until no chain of this configuration is being asked any more, for a limited time.
func (c *configuration) drain(limit time.Duration) {
	idle := make(chan struct{})
	go func() {
		c.asked.Wait()
		close(idle)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}
