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
	*keeper
	onError placement.ErrorPolicy
}

// follow returns the configuration of other entries. Plugins whose entry is the same in both go on
// as they are; fresh are the plugins that must be started.
func (c *configuration) follow(options Options) (next *configuration, fresh []*keeper) {
	next = &configuration{generation: c.generation + 1}
	for _, entry := range options.Entries {
		s := c.keep(entry)
		if s == nil {
			s = newKeeper(entry, options, next.generation)
			fresh = append(fresh, s)
		}
		next.members = append(next.members, member{keeper: s, onError: entry.OnError})
	}
	return next, fresh
}

// keep returns the plugin that can go on under the entry, or nil. The error policy may differ,
// because it concerns the chain and not the plugin.
func (c *configuration) keep(entry Entry) *keeper {
	for _, m := range c.members {
		has := m.entry
		has.OnError = entry.OnError
		if reflect.DeepEqual(has, entry) {
			return m.keeper
		}
	}
	return nil
}

// has reports whether a plugin of that name is in the configuration.
func (c *configuration) has(name string) bool {
	return slices.ContainsFunc(c.members, func(m member) bool { return m.entry.Name == name })
}

// without are the plugins that are not in another configuration.
func (c *configuration) without(other *configuration) []*keeper {
	var gone []*keeper
	for _, m := range c.members {
		if !slices.ContainsFunc(other.members, func(o member) bool { return o.keeper == m.keeper }) {
			gone = append(gone, m.keeper)
		}
	}
	return gone
}

func (c *configuration) chain() placement.Chain {
	chain := make(placement.Chain, len(c.members))
	for i, m := range c.members {
		chain[i] = placement.Link{Strategy: remote{m.keeper}, OnError: m.onError}
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
