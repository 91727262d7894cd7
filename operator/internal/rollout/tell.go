package rollout

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

const good, bad = corev1.EventTypeNormal, corev1.EventTypeWarning

// tell makes an Event of the first Machines that begin, and of a new phase or another reason to pause.
func (c *Controller) tell(
	rollout *vitistackv1alpha1.MachineRollout, former vitistackv1alpha1.MachineRolloutStatus, begin []string,
) {
	now := meta.FindStatusCondition(rollout.Status.Conditions, vitistackv1alpha1.ConditionReady)
	before := meta.FindStatusCondition(former.Conditions, vitistackv1alpha1.ConditionReady)
	if now == nil || rollout.Status.Phase == former.Phase && before != nil && before.Reason == now.Reason {
		return
	}
	switch now.Reason {
	case vitistackv1alpha1.ReasonRollingOut:
		action, note := "Continue", now.Message
		if len(begin) > 0 {
			action, note = "Begin", fmt.Sprintf("%s: %s", now.Message, summary.Few(begin))
		}
		c.event(rollout, good, vitistackv1alpha1.ReasonRollingOut, action, note)
	case vitistackv1alpha1.ReasonRolloutPaused:
		c.event(rollout, good, vitistackv1alpha1.ReasonRolloutPaused, "Pause", now.Message)
	case vitistackv1alpha1.ReasonRolledOut:
		c.event(rollout, good, vitistackv1alpha1.ReasonRolledOut, "End", now.Message)
	case vitistackv1alpha1.ReasonRolloutAborted:
		c.event(rollout, good, vitistackv1alpha1.ReasonRolloutAborted, "End", now.Message)
	default:
		c.event(rollout, kindOf(rollout.Status.Phase), now.Reason, "Wait", now.Message)
	}
}

// kindOf is a Warning where a person must act.
func kindOf(phase vitistackv1alpha1.RolloutPhase) string {
	if stalled(phase) {
		return bad
	}
	return good
}

func (c *Controller) event(rollout *vitistackv1alpha1.MachineRollout, kind, reason, action, note string) {
	if c.options.Events != nil {
		c.options.Events.Eventf(rollout, nil, kind, reason, action, "%s", summary.Cut(note, summary.MaxNote))
	}
}

// namespacedName reads namespace/name.
func namespacedName(key string) types.NamespacedName {
	namespace, name, _ := strings.Cut(key, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}
