package agent

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// setPhase sets the phase and when it began: virt-controller takes an instance without a Running
// phase in its history for a failed start.
func setPhase(status *kubevirtv1.VirtualMachineInstanceStatus, phase kubevirtv1.VirtualMachineInstancePhase) {
	if status.Phase == phase {
		return
	}
	status.Phase = phase
	status.PhaseTransitionTimestamps = append(status.PhaseTransitionTimestamps,
		kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp{
			Phase: phase, PhaseTransitionTimestamp: metav1.Now(),
		})
}

// setCondition sets a condition of an instance, and says whether it said something else before.
func setCondition(
	vmi *kubevirtv1.VirtualMachineInstance, kind kubevirtv1.VirtualMachineInstanceConditionType,
	status corev1.ConditionStatus, reason, message string,
) bool {
	now := metav1.Now()
	next := kubevirtv1.VirtualMachineInstanceCondition{
		Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: now,
	}
	for i, old := range vmi.Status.Conditions {
		if old.Type != kind {
			continue
		}
		if old.Status == status {
			next.LastTransitionTime = old.LastTransitionTime
		}
		if old.Status == status && old.Reason == reason && old.Message == message {
			return false
		}
		vmi.Status.Conditions[i] = next
		return true
	}
	vmi.Status.Conditions = append(vmi.Status.Conditions, next)
	return true
}

func removeCondition(vmi *kubevirtv1.VirtualMachineInstance, kind kubevirtv1.VirtualMachineInstanceConditionType) {
	kept := vmi.Status.Conditions[:0]
	for _, condition := range vmi.Status.Conditions {
		if condition.Type != kind {
			kept = append(kept, condition)
		}
	}
	vmi.Status.Conditions = kept
}

// stamp gives every condition its times, before the list is sent. A merge patch drops what is null
// in a list; virt-controller, which leaves times null, writes its patches on the condition that the
// list is what it knows, nulls included, and would fail for ever.
func stamp(vmi *kubevirtv1.VirtualMachineInstance) {
	now := metav1.Now()
	for i := range vmi.Status.Conditions {
		condition := &vmi.Status.Conditions[i]
		if condition.LastTransitionTime.IsZero() {
			condition.LastTransitionTime = now
		}
		if condition.LastProbeTime.IsZero() {
			condition.LastProbeTime = condition.LastTransitionTime
		}
	}
}
