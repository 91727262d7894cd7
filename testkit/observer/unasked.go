package observer

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// unasked finds changes of VirtualMachines that the operator made although their Machine was as it
// asks, and had not changed since (I14).
func unasked(s seen) []Violation {
	var found []Violation
	for _, l := range s.lives {
		if l.Resource != virtualMachines || len(l.Specs) < 2 {
			continue
		}
		r, recorded := s.recorded(l, s.now)
		m, known := s.machines[r.Machine]
		if !recorded || !known {
			continue
		}
		for _, change := range l.Specs[1:] {
			if v, broken := s.judgeSpec(l, m, change); broken {
				found = append(found, v)
			}
		}
	}
	return found
}

// judgeSpec looks at one change of a VirtualMachine's spec. Only what the operator alone did counts.
func (s seen) judgeSpec(l life, m machine, change specChange) (Violation, bool) {
	near := func(at time.Time) bool { return at.Sub(change.At).Abs() <= s.options.Skew }
	writes := slices.DeleteFunc(slices.Clone(s.recent[l.Cluster]), func(c audit.Call) bool {
		return !changes(c) || creates(c) || c.Resource != virtualMachines || c.Subresource == "status" ||
			c.Namespace != l.Namespace || c.Name != l.Name || !near(c.Answered)
	})
	byOthers := slices.ContainsFunc(s.others[l.Cluster], func(c audit.Call) bool {
		return c.Resource == virtualMachines && c.Namespace == l.Namespace && c.Name == l.Name && near(c.Answered)
	})
	if change.Listed || len(writes) == 0 || byOthers {
		return Violation{}, false
	}
	before, found := m.at(change.At.Add(-s.options.Skew))
	if !found || !before.done() || s.wished(l, m, change.At) || s.unsettled(l, before.At, change.At) {
		return Violation{}, false
	}
	return Violation{
		Invariant: "I14", Cluster: l.Cluster, Object: l.object(), At: change.At,
		Message: fmt.Sprintf("the operator changed it (generation %d) although Machine %s was as it asked "+
			"and had not changed: %s", change.Generation, s.nameOf(m.UID), describe(writes)),
		about: []types.UID{l.UID, m.UID},
	}, true
}

// wishTime is what the operator has to do what a Machine asks for: a change that comes later is not
// due to that. Annotations have no generation, so that the status cannot tell.
const wishTime = 10 * time.Second

// wished reports whether a Machine asked for anything else, or was moved, so short a time before a
// change of its VirtualMachine that the operator may have done that.
func (s seen) wished(vm life, m machine, until time.Time) bool {
	late := until.Add(s.options.Skew)
	for i := len(m.States) - 1; i > 0; i-- {
		before, after := m.States[i-1], m.States[i]
		if after.At.After(late) {
			continue
		}
		if s.mayAct(vm.Cluster, after.At, until) >= wishTime {
			return false
		}
		if before.Wish != after.Wish || before.Move != nil || after.Move != nil {
			return true
		}
	}
	return false
}

// unsettled reports whether a cluster or the supervisor was restored, or a follower blind, so that
// what was done before may have to be done again.
func (s seen) unsettled(l life, from, until time.Time) bool {
	early := until.Add(-2 * s.options.Grace)
	return s.wasRestored(l.Cluster, early, until) || s.wasRestored(fleet.Supervisor, early, until) ||
		s.sawNothing(l.Cluster, virtualMachines, until, until) || s.sawNothing(fleet.Supervisor, machines, from, until)
}
