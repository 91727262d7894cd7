package classuse

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/rollout"
)

// use is how many Machines use a class, and how many of these differ from it.
type use struct{ machines, outdated int32 }

// count returns the use of the classes that any Machine uses, by their names. It is pure.
func count(machines []*vitistackv1alpha1.Machine, sizes rollout.Sizes) map[string]use {
	uses := map[string]use{}
	for _, machine := range machines {
		name := sizes.Of(machine)
		if name == "" || machine.DeletionTimestamp != nil {
			continue
		}
		u := uses[name]
		u.machines++
		if differs, err := sizes.Differs(machine, ""); err == nil && differs {
			u.outdated++
		}
		uses[name] = u
	}
	return uses
}

// of is what the status of a class says. known is false where it says nothing.
func of(class *vitistackv1alpha1.MachineClass) (u use, known bool) {
	status := class.Status
	if status.Machines == nil || status.Outdated == nil {
		return use{}, false
	}
	return use{machines: *status.Machines, outdated: *status.Outdated}, true
}
