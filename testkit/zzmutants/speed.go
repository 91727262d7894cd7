package observer

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// baselines are how many creations without any trouble must have been seen before one with
	// trouble elsewhere is compared.
	baselines = 5
	// slowdown is how many times the median of these a creation may take while another cluster is in
	// trouble, and slowest what it may take in any case: the machine of the tests is busy then.
	slowdown = 20
	slowest  = 30 * time.Second
)

// slowed finds Machines of clusters that work, which were served late while another one was in
// trouble (I5).
func slowed(s seen) []Violation {
	var usual []time.Duration
	type served struct {
		machine machine
		took    time.Duration
	}
	var beside []served
	for _, m := range s.byUID() {
		cluster, from, until, counts := s.creation(m)
		switch {
		case !counts || !s.calm(from, until, cluster):
		case s.calm(from, until, s.remotes()...):
			usual = append(usual, until.Sub(from))
		default:
			beside = append(beside, served{machine: m, took: until.Sub(from)})
		}
	}
	if len(usual) < baselines {
		return nil
	}
	slices.Sort(usual)
	most := max(slowest, slowdown*usual[len(usual)/2])
	var found []Violation
	for _, b := range beside {
		if b.took > most {
			found = append(found, b.machine.broken("I5", b.machine.States[0],
				fmt.Sprintf("while another cluster is in trouble it was not served within %s", most)))
		}
	}
	return found
}

// creation is the time from a Machine that asks for a cluster until that has its VirtualMachine, or
// until now. It counts where the Machine was seen to come, and nothing was edited meanwhile.
func (s seen) creation(m machine) (cluster string, from, until time.Time, counts bool) {
	first := m.States[0]
	cluster = s.clusterOf("", reference(first.Object))
	if first.Listed || cluster == "" || first.Ledger != nil {
		return "", from, until, false
	}
	from, until = first.At, s.now
	if !m.Gone.IsZero() {
		until = m.Gone
	}
	for _, l := range s.of(cluster, virtualMachines) {
		mine := l.machine() == m.UID || slices.ContainsFunc(s.records, func(r record) bool {
			return r.Machine == m.UID && types.UID(r.VMUID) == l.UID
		})
		if mine && l.From.Before(until) {
			until = l.From
		}
	}
	edited := slices.ContainsFunc(m.States, func(x state) bool { return !x.At.After(until) && x.Wish != first.Wish })
	return cluster, from, until, !edited && until.After(from)
}
