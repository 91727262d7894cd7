package machine

import (
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// Mutants are ways to break what keeps a Machine to one VirtualMachine, for the test that shows
// that the model notices.
var Mutants = map[string]Option{
	// Every decision stands.
	"NoGuard": withJudge(func(custody.Case, custody.Choice) custody.Finding {
		return custody.Finding{Is: custody.Absent}
	}),
	// A cluster that does not answer has no VirtualMachine.
	"SilenceIsAbsence": withJudge(func(c custody.Case, choice custody.Choice) custody.Finding {
		c.Looks = slices.Clone(c.Looks)
		for i := range c.Looks {
			c.Looks[i].Silent = nil
		}
		return c.Place(choice)
	}),
	// A VirtualMachine of the name is the Machine's, whosever it is.
	"NameIsOwner": withJudge(func(c custody.Case, choice custody.Choice) custody.Finding {
		for _, look := range c.Looks {
			for _, vm := range look.Found {
				if look.Config == choice.Config {
					return custody.Finding{Is: custody.Yours, Relation: custody.Mine,
						Place: custody.Place{Config: look.Config, VM: vm}}
				}
			}
		}
		return c.Place(choice)
	}),
	// A Machine that lost its ledger is as good as new: the other clusters are not asked.
	"LostIsFresh": WithFreshness(alwaysFresh{}),
}

func withJudge(j judge) Option {
	return func(r *MachineReconciler) { r.judge = j }
}

type alwaysFresh struct{}

// Fresh implements Freshness.
func (alwaysFresh) Fresh(*vitistackv1alpha1.Machine) bool { return true }

// Placed implements Freshness.
func (alwaysFresh) Placed(*vitistackv1alpha1.Machine) {}

// Recorded implements Freshness.
func (alwaysFresh) Recorded(*vitistackv1alpha1.Machine) bool { return false }

// Strict sets Settings.StrictUniqueness.
func Strict(r *MachineReconciler, strict bool) { r.settings.StrictUniqueness = strict }

// NetworkChanged are the events of NetworkNamespaces that wake Machines.
var NetworkChanged = networkChanged()

// Note is what an Event says of a note.
var Note = cut
