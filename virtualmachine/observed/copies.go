package observed

import (
	"fmt"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// maxCopies bounds how many copies a message names.
const maxCopies = 8

// setNoCopies tells of objects that carry the Machine's labels and are not its own. The condition
// appears with the first of them, and becomes True when they are gone.
func (r *report) setNoCopies(status *vitistackv1alpha1.MachineStatus) {
	const noCopies = vitistackv1alpha1.ConditionNoCopies
	switch {
	case !r.Looked:
	case len(r.Copies) > 0:
		r.set(status, noCopies, isFalse, vitistackv1alpha1.ReasonCopiesFound, copiesMessage(r.Copies))
	case status.Condition(noCopies) != nil:
		r.set(status, noCopies, isTrue, vitistackv1alpha1.ReasonNoCopies, "no other object carries the Machine's labels")
	}
}

// copiesMessage does not depend on the order of the copies.
func copiesMessage(copies []string) string {
	names := slices.Clone(copies)
	slices.Sort(names)
	names = slices.Compact(names)
	rest := ""
	if len(names) > maxCopies {
		names, rest = names[:maxCopies], " and others"
	}
	return fmt.Sprintf("%s%s: labelled as this Machine's and not its own, so they are never changed or deleted with it; "+
		"take the label %s off them to end this", strings.Join(names, ", "), rest, vitistackv1alpha1.LabelMachineUID)
}
