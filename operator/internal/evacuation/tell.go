package evacuation

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

// tell makes an Event of a new phase, or of another reason to pause.
func (c *Controller) tell(evacuation *vitistackv1alpha1.Evacuation, former vitistackv1alpha1.EvacuationStatus) {
	now := meta.FindStatusCondition(evacuation.Status.Conditions, vitistackv1alpha1.ConditionReady)
	before := meta.FindStatusCondition(former.Conditions, vitistackv1alpha1.ConditionReady)
	if now == nil || evacuation.Status.Phase == former.Phase && before != nil && before.Reason == now.Reason {
		return
	}
	const good, bad = corev1.EventTypeNormal, corev1.EventTypeWarning
	switch now.Reason {
	case vitistackv1alpha1.ReasonEvacuating:
		action := "Begin"
		if former.Phase != "" {
			action = "Continue"
		}
		c.event(evacuation, good, vitistackv1alpha1.ReasonEvacuating, action, now.Message)
	case vitistackv1alpha1.ReasonEvacuationPaused:
		c.event(evacuation, good, vitistackv1alpha1.ReasonEvacuationPaused, "Pause", now.Message)
	case vitistackv1alpha1.ReasonEvacuated:
		c.event(evacuation, good, vitistackv1alpha1.ReasonEvacuated, "End", now.Message)
	case vitistackv1alpha1.ReasonMoveFailed:
		c.event(evacuation, bad, now.Reason, "Pause", now.Message)
	default:
		c.event(evacuation, bad, now.Reason, "End", now.Message)
	}
}

func (c *Controller) event(evacuation *vitistackv1alpha1.Evacuation, kind, reason, action, note string) {
	if c.options.Events != nil {
		c.options.Events.Eventf(evacuation, nil, kind, reason, action, "%s", summary.Cut(note, summary.MaxNote))
	}
}
