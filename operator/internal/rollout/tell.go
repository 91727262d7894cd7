package rollout

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
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
	phase := rollout.Status.Phase
	switch {
	case phase == vitistackv1alpha1.RolloutProgressing && len(begin) > 0:
		c.event(rollout, good, now.Reason, "Begin", fmt.Sprintf("%s, %s first", now.Message, first(begin)))
	case phase == vitistackv1alpha1.RolloutProgressing:
		c.event(rollout, good, now.Reason, "Continue", now.Message)
	case phase == vitistackv1alpha1.RolloutPaused && now.Reason == vitistackv1alpha1.ReasonRolloutPaused:
		c.event(rollout, good, now.Reason, "Pause", now.Message)
	case phase == vitistackv1alpha1.RolloutPaused:
		c.event(rollout, bad, now.Reason, "Pause", now.Message)
	case phase == vitistackv1alpha1.RolloutIncomplete:
		c.event(rollout, bad, now.Reason, "End", now.Message)
	default:
		c.event(rollout, good, now.Reason, "End", now.Message)
	}
}

func first(names []string) string {
	if len(names) > maxNamed {
		return strings.Join(names[:maxNamed], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// maxNote is the longest note that the API server takes in an Event, in bytes.
const maxNote = 1024

func (c *Controller) event(rollout *vitistackv1alpha1.MachineRollout, kind, reason, action, note string) {
	if c.options.Events != nil {
		c.options.Events.Eventf(rollout, nil, kind, reason, action, "%s", cut(note, maxNote))
	}
}

// namespacedName reads namespace/name.
func namespacedName(key string) types.NamespacedName {
	namespace, name, _ := strings.Cut(key, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}
