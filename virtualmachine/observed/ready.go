package observed

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// setReady sums the other conditions up.
func (r *report) setReady(status *vitistackv1alpha1.MachineStatus, network networkVerdict) {
	const ready = vitistackv1alpha1.ConditionReady
	if r.keepsReady(status) {
		return
	}
	value, reason, message := r.summary(status, network)
	if value == isTrue && !r.current(status) {
		value, reason, message = isFalse, vitistackv1alpha1.ReasonApplying, applyingMessage
	}
	r.setApplied(status, ready, value, reason, message)
}

// keepsReady says that a loss of contact is too young to be told, so that Ready stays as it is.
func (r *report) keepsReady(status *vitistackv1alpha1.MachineStatus) bool {
	return r.contact != nil && r.heldContact(*r.contact) &&
		hasStatus(r.Machine.Status, vitistackv1alpha1.ConditionPlaced, isTrue) &&
		status.Condition(vitistackv1alpha1.ConditionReady) != nil
}

// current says that the virtual machine was brought to the Machine's generation.
func (r *report) current(status *vitistackv1alpha1.MachineStatus) bool {
	return r.Applied || status.ObservedGeneration == r.Machine.Generation
}

// summary is what Ready says, apart from the generation that it speaks of.
func (r *report) summary(
	status *vitistackv1alpha1.MachineStatus, network networkVerdict,
) (value metav1.ConditionStatus, reason, message string) {
	vmReady := status.Condition(vitistackv1alpha1.ConditionVirtualMachineReady)
	switch {
	case r.contact != nil:
		return isUnknown, r.contact.Reason, r.contact.Message
	case r.deleting() && r.deletionHeld() != nil:
		return isFalse, r.deletionHeld().Reason, r.deletionHeld().Message
	case r.deleting():
		return isFalse, vitistackv1alpha1.ReasonDeleting, r.deletingMessage()
	case r.problem != nil:
		return isFalse, r.problem.Reason, r.problem.Message
	case vmReady == nil:
		return isFalse, vitistackv1alpha1.ReasonCreating, creatingMessage
	case vmReady.Status != isTrue:
		return vmReady.Status, vmReady.Reason, vmReady.Message
	case r.networkKnown() && !network.ready:
		return isFalse, network.reason, network.message
	case r.harmless != nil:
		return isTrue, r.harmless.Reason, r.harmless.Message
	case restartRequired(r.vm):
		return isTrue, vitistackv1alpha1.ReasonRestartRequired, "a change waits for the next start of the virtual machine"
	default:
		return isTrue, vitistackv1alpha1.ReasonReady, vmReady.Message
	}
}

const (
	applyingMessage = "a change of the Machine has not reached its virtual machine yet"
	deletingMessage = "what was made for the Machine is being deleted"
)

func (r *report) deletingMessage() string {
	if r.problem == nil {
		return deletingMessage
	}
	return deletingMessage + ": " + r.problem.Message
}
