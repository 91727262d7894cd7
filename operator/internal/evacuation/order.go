package evacuation

import (
	"cmp"
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// unsizedGiB is what a disk without a size counts for: what it is made with.
const unsizedGiB = 10

// ordered returns the Machines in the order in which they go. Those that are equal go by their names.
func ordered(
	machines []*vitistackv1alpha1.Machine, order vitistackv1alpha1.EvacuationOrder,
) []*vitistackv1alpha1.Machine {
	sorted := slices.Clone(machines)
	slices.SortFunc(sorted, func(a, b *vitistackv1alpha1.Machine) int {
		first := 0
		switch order {
		case vitistackv1alpha1.EvacuateByName:
		case vitistackv1alpha1.EvacuateLargestFirst:
			first = cmp.Compare(size(b), size(a))
		case vitistackv1alpha1.EvacuateOldestFirst:
			first = a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
		default: // SmallestFirst, also where a definition has no default
			first = cmp.Compare(size(a), size(b))
		}
		return cmp.Or(first, cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return sorted
}

// size is that of the disks that a Machine asks for, in GiB.
func size(machine *vitistackv1alpha1.Machine) int64 {
	if len(machine.Spec.Disks) == 0 {
		return unsizedGiB
	}
	var all int64
	for i := range machine.Spec.Disks {
		all += cmp.Or(machine.Spec.Disks[i].SizeGB, unsizedGiB)
	}
	return all
}
