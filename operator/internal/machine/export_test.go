package machine

import (
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Mutants are ways to break what keeps a Machine to one VirtualMachine, for the test that shows that the model notices.
var Mutants = map[string]Option{
	// Every decision stands.
	"NoGuard": withVerdict(func(_ *pass, config string, trace placement.Trace, _ sightings) (choice, error) {
		return choice{config: config, by: decidedBy(trace)}, nil
	}),
	// A cluster that does not answer has no VirtualMachine.
	"SilenceIsAbsence": withVerdict(func(p *pass, config string, trace placement.Trace, seen sightings) (choice, error) {
		heard := slices.Clone(seen)
		for i := range heard {
			heard[i].err = nil
		}
		return p.guard(config, trace, heard)
	}),
	// A VirtualMachine of the name is the Machine's, whosever it is.
	"NameIsOwner": withVerdict(func(p *pass, config string, trace placement.Trace, seen sightings) (choice, error) {
		for _, found := range seen.of(config).found {
			return choice{config: config, by: decidedBy(trace), vm: &found}, nil
		}
		return p.guard(config, trace, seen)
	}),
	// A Machine that lost its ledger is as good as new: the other clusters are not asked.
	"LostIsFresh": WithFreshness(alwaysFresh{}),
}

func withVerdict(v verdict) Option {
	return func(r *MachineReconciler) { r.verdict = v }
}

type alwaysFresh struct{}

// Fresh implements Freshness.
func (alwaysFresh) Fresh(*vitistackv1alpha1.Machine) bool { return true }

// Placed implements Freshness.
func (alwaysFresh) Placed(*vitistackv1alpha1.Machine) {}

// Strict sets Settings.StrictUniqueness.
func Strict(r *MachineReconciler, strict bool) { r.settings.StrictUniqueness = strict }
