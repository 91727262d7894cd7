package observed

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Status is the status of a Machine after a reconcile. It keeps conditions of types that are not
// ours, and fields that only others write. Where the remote cluster was not heard, what was known
// about the virtual machine stays. lastUpdated moves when something else in the status changes, and
// lastTransitionTime of a condition when its status does.
func Status(in Input) vitistackv1alpha1.MachineStatus {
	in.Now = in.Now.UTC().Truncate(time.Second) // all that a time in an object keeps
	r := newReport(in)
	next := *in.Machine.Status.DeepCopy()
	if in.Applied {
		next.ObservedGeneration = in.Machine.Generation
	}
	next.Provider = vitistackv1alpha1.ProviderKubevirt
	r.setPlace(&next)
	r.setVM(&next)
	r.setConditions(&next)
	r.setPhase(&next)
	if Changed(in.Machine.Status, next) {
		next.LastUpdated = &metav1.Time{Time: in.Now}
	}
	return next
}

// Changed says whether there is news in a status, so that it has to be written. Definitions that
// others own may not have the fields that this project adds. There these fields come back empty for
// ever, and filling them is no news: else each reconcile would write, and be woken by its own
// write.
func Changed(old, next vitistackv1alpha1.MachineStatus) bool {
	next = *next.DeepCopy()
	if old.ObservedGeneration == 0 {
		next.ObservedGeneration = 0
	}
	if old.KubevirtConfigRef == nil {
		next.KubevirtConfigRef = nil
	}
	if old.VMName == "" {
		next.VMName = ""
	}
	if old.NodeName == "" {
		next.NodeName = ""
	}
	for i := range next.Conditions {
		if had := old.Condition(next.Conditions[i].Type); had != nil && had.ObservedGeneration == 0 {
			next.Conditions[i].ObservedGeneration = 0
		}
	}
	return !equality.Semantic.DeepEqual(old, next)
}
