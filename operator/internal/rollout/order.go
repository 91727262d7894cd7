package rollout

import (
	"cmp"
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// sortBy puts Machines into the order in which they go. Those that are equal go by their names.
func sortBy(machines []*vitistackv1alpha1.Machine, order vitistackv1alpha1.RolloutOrder) {
	slices.SortFunc(machines, func(a, b *vitistackv1alpha1.Machine) int {
		first := 0
		switch order {
		case vitistackv1alpha1.RolloutByName:
		case vitistackv1alpha1.RolloutNewestFirst:
			first = b.CreationTimestamp.Compare(a.CreationTimestamp.Time)
		case vitistackv1alpha1.RolloutSmallestFirst:
			first = cmp.Compare(a.Status.Memory, b.Status.Memory)
		case vitistackv1alpha1.RolloutLargestFirst:
			first = cmp.Compare(b.Status.Memory, a.Status.Memory)
		default: // OldestFirst, also where a definition has no default
			first = a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
		}
		return cmp.Or(first, cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}
