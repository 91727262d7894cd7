package observer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// guest is a VirtualMachine with its instances: one body of a Machine.
type guest struct {
	uid     types.UID
	cluster string
	name    string
	on      []guestSpan
}

// guestSpan is a time in which a guest runs or may start.
type guestSpan struct {
	span

	// what is VirtualMachine or VirtualMachineInstance.
	what string
	// returned says that a restored etcd brought it back at the begin of the span.
	returned bool
}

// twins finds the moments in which two guests of one Machine were on (I1). Persons' copies are none
// of a Machine's.
func twins(s seen) []Violation {
	var found []Violation
	guests := s.guests()
	for _, machine := range slices.Sorted(maps.Keys(guests)) {
		all := guests[machine]
		for i, a := range all {
			for _, b := range all[i+1:] {
				if v, broken := s.together(machine, a, b); broken {
					found = append(found, v)
				}
			}
		}
	}
	return found
}

// guests are the guests of each Machine, in a fixed order.
func (s seen) guests() map[types.UID][]guest {
	bodies := map[types.UID]map[types.UID]*guest{}
	for _, l := range s.lives {
		if l.Resource != virtualMachines && l.Resource != instances || len(l.On) == 0 || s.isPersonsGuest(l) {
			continue
		}
		machine := s.machineOf(l)
		if machine == "" {
			continue
		}
		if bodies[machine] == nil {
			bodies[machine] = map[types.UID]*guest{}
		}
		g := bodies[machine][l.guest()]
		if g == nil {
			g = &guest{uid: l.guest(), cluster: l.Cluster, name: l.object()}
			bodies[machine][g.uid] = g
		}
		for _, on := range l.On {
			g.on = append(g.on, guestSpan{span: on, what: l.Resource, returned: s.returned(l, on)})
		}
	}
	all := map[types.UID][]guest{}
	for machine, of := range bodies {
		for _, g := range of {
			g.inherit()
			all[machine] = append(all[machine], *g)
		}
		slices.SortFunc(all[machine], func(a, b guest) int {
			return cmp.Or(cmp.Compare(a.cluster, b.cluster), compare(a.uid, b.uid))
		})
	}
	return all
}

// inherit marks what a VirtualMachine started that had been brought back: its instance is a new one.
func (g *guest) inherit() {
	for i, on := range g.on {
		for _, vm := range g.on {
			late := on.From.Before(vm.From.Add(-restoreWindow)) || !vm.Until.IsZero() && on.From.After(vm.Until)
			g.on[i].returned = g.on[i].returned || vm.returned && !late
		}
	}
}

// machineOf is the Machine that an object belongs to: by its labels, or by a record of its UID.
func (s seen) machineOf(l life) types.UID {
	if machine := l.machine(); machine != "" {
		return machine
	}
	for _, r := range s.records {
		if r.VMUID == string(l.guest()) {
			return r.Machine
		}
	}
	return ""
}

// isPersonsGuest reports whether an instance or its VirtualMachine is a person's.
func (s seen) isPersonsGuest(l life) bool {
	if s.isPersons(l) {
		return true
	}
	return slices.ContainsFunc(s.lives, func(vm life) bool {
		return vm.UID == l.guest() && vm.UID != l.UID && s.isPersons(vm)
	})
}

// returned reports whether a span began with a list after its cluster was restored.
func (s seen) returned(l life, on span) bool {
	listed := slices.ContainsFunc(l.Relisted, on.From.Equal)
	return listed && s.wasRestored(l.Cluster, on.From.Add(-restoreWindow), on.From.Add(restoreWindow))
}

// restoreWindow is how far the followers of one cluster are apart when they list it anew.
const restoreWindow = 30 * time.Second

// together finds the first time that two guests share. What was brought back by a restored etcd may
// run as long as the operator had no time to deal with it.
func (s seen) together(machine types.UID, a, b guest) (Violation, bool) {
	for _, x := range a.on {
		for _, y := range b.on {
			both, share := x.common(y.span, s.now)
			long := both.Until.Sub(both.From)
			if x.returned || y.returned {
				troubled := s.troubled(fleet.Supervisor, a.cluster, b.cluster)
				long = outside(troubled, both.From, both.Until) - s.options.Grace
			}
			if !share || long <= s.options.Skew {
				continue
			}
			return Violation{
				Invariant: "I1", Object: "Machine " + s.nameOf(machine), At: both.From,
				Message: fmt.Sprintf("two guests are on at once: %s (%s, %s) and %s (%s, %s)",
					a.name, a.cluster, a.uid, b.name, b.cluster, b.uid),
				about: []types.UID{machine, a.uid, b.uid},
			}, true
		}
	}
	return Violation{}, false
}

// nameOf is a Machine's namespace and name, or its UID where it was never seen.
func (s seen) nameOf(uid types.UID) string {
	if m, found := s.machines[uid]; found {
		return m.Namespace + "/" + m.Name
	}
	return string(uid)
}
