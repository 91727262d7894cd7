package observer

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// displaced finds Machines that have a VirtualMachine and whose record names another cluster without
// a move: I3 where their cluster is silent, else I10. It finds records too that name no KubevirtConfig,
// or one that takes no Machines (I11).
func displaced(s seen) []Violation {
	var found []Violation
	for _, m := range s.byUID() {
		for i, after := range m.States {
			before := state{}
			if i > 0 {
				before = m.States[i-1]
			}
			if after.Ledger == nil || after.Listed || s.wasRestored(fleet.Supervisor, before.At, after.At) {
				continue
			}
			switch {
			case before.Ledger == nil && i > 0:
				if problem := s.noCandidate(m, after); problem != "" {
					found = append(found, m.broken("I11", after, problem))
				}
			case before.Ledger != nil && before.Ledger.VMUID != "" && isElsewhere(before, after):
				invariant := "I10"
				if _, silent := s.silentPlace(before, after); silent {
					invariant = "I3"
				}
				found = append(found, m.broken(invariant, after, fmt.Sprintf("it was placed in %s and then in %s without a move",
					before.Ledger.Config, after.Ledger.Config)))
			}
		}
	}
	return found
}

// isElsewhere reports whether a later record names another cluster, and not one of a move under way.
// A KubevirtConfig that stands for another cluster by a person's consent stays what it is.
func isElsewhere(before, after state) bool {
	if before.Ledger.Config == after.Ledger.Config {
		return false
	}
	var sides []vitistackv1alpha1.Ledger
	for _, move := range []*vitistackv1alpha1.MoveRecord{before.Move, after.Move} {
		if move != nil {
			sides = append(sides, move.From, move.To)
		}
	}
	return !slices.ContainsFunc(sides, func(side vitistackv1alpha1.Ledger) bool {
		return side.Config == after.Ledger.Config
	})
}

// noCandidate says why the cluster of a first record was none to choose. One that has the
// VirtualMachine already is always one.
func (s seen) noCandidate(m machine, after state) string {
	name := after.Ledger.Config
	early, late := after.At.Add(-2*s.options.Skew), after.At.Add(s.options.Skew)
	if s.sawNothing(fleet.Supervisor, configs, early, late) {
		return ""
	}
	for _, l := range s.of(fleet.Supervisor, configs) {
		if l.Name != name || !l.there(early, late) {
			continue
		}
		paused, _, _ := unstructured.NestedBool(l.Object.Object, "spec", "paused")
		settled := len(l.Specs) > 0 && l.Specs[len(l.Specs)-1].At.Before(early)
		if paused && settled && !s.hadVM(m, after) {
			return fmt.Sprintf("it was placed in %s, which is paused", name)
		}
		return ""
	}
	return fmt.Sprintf("it was placed in %s, which is no KubevirtConfig", name)
}

// hadVM reports whether the VirtualMachine of a record is older than that.
func (s seen) hadVM(m machine, after state) bool {
	return slices.ContainsFunc(s.lives, func(l life) bool {
		mine := l.machine() == m.UID || types.UID(after.Ledger.VMUID) == l.UID
		return l.Resource == virtualMachines && l.From.Before(after.At) && mine
	})
}
