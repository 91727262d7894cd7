package evacuation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// tell makes an Event of a new phase, or of another reason to pause.
func (c *Controller) tell(evacuation *vitistackv1alpha1.Evacuation, former vitistackv1alpha1.EvacuationStatus) {
	now := meta.FindStatusCondition(evacuation.Status.Conditions, vitistackv1alpha1.ConditionReady)
	if c.options.Events == nil || now == nil {
		return
	}
	before := meta.FindStatusCondition(former.Conditions, vitistackv1alpha1.ConditionReady)
	if evacuation.Status.Phase == former.Phase && before != nil && before.Reason == now.Reason {
		return
	}
	kind, action := corev1.EventTypeNormal, "Begin"
	switch evacuation.Status.Phase {
	case vitistackv1alpha1.EvacuationMoving:
		if former.Phase != "" {
			action = "Continue"
		}
	case vitistackv1alpha1.EvacuationPaused:
		action = "Pause"
		if now.Reason != vitistackv1alpha1.ReasonEvacuationPaused { // nobody asked for it
			kind = corev1.EventTypeWarning
		}
	case vitistackv1alpha1.EvacuationIncomplete:
		kind, action = corev1.EventTypeWarning, "End"
	case vitistackv1alpha1.EvacuationSucceeded:
		action = "End"
	}
	c.options.Events.Eventf(evacuation, nil, kind, now.Reason, action, "%s", cut(now.Message, maxNote))
}

// maxNote is the longest note that the API server takes in an Event, in bytes.
const maxNote = 1024
