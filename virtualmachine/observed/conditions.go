package observed

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// setConditions sets our conditions and Ready, and what repeats Ready.
func (r *report) setConditions(status *vitistackv1alpha1.MachineStatus) {
	// Earlier releases appended a condition of the type Unknown at every failure, and never took
	// one away.
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c vitistackv1alpha1.MachineCondition) bool {
		return c.Type == "" || c.Type == string(isUnknown)
	})
	network := r.judgeNetwork(status.NetworkInterfaces)
	r.setPlaced(status)
	r.setRemoteReachable(status)
	r.setNetworkReady(status, network)
	r.setVirtualMachineReady(status)
	r.setNoCopies(status)
	r.setDeletionHeld(status)
	r.setReady(status, network)
	if ready := status.Condition(vitistackv1alpha1.ConditionReady); ready != nil {
		status.Message = ready.Message
	}
}

// set sets a condition that speaks of the Machine's generation.
func (r *report) set(
	status *vitistackv1alpha1.MachineStatus, conditionType string, value metav1.ConditionStatus, reason, message string,
) {
	status.SetCondition(r.spoken(conditionType, value, reason, message))
}

// setApplied sets a condition that speaks of the generation that the virtual machine was brought
// to.
func (r *report) setApplied(
	status *vitistackv1alpha1.MachineStatus, conditionType string, value metav1.ConditionStatus, reason, message string,
) {
	condition := r.spoken(conditionType, value, reason, message)
	if !r.Applied {
		condition.ObservedGeneration = 0
		if had := status.Condition(conditionType); had != nil {
			condition.ObservedGeneration = had.ObservedGeneration
		}
	}
	status.SetCondition(condition)
}

func (r *report) spoken(conditionType string, value metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{
		Type:               conditionType,
		Status:             value,
		ObservedGeneration: r.Machine.Generation,
		LastTransitionTime: metav1.Time{Time: r.Now},
		Reason:             word(reason),
		Message:            sentence(message),
	}
}

func (r *report) setPlaced(status *vitistackv1alpha1.MachineStatus) {
	const placed = vitistackv1alpha1.ConditionPlaced
	if p, found := r.problems[placed]; found {
		r.set(status, placed, isFalse, p.Reason, p.Message)
		return
	}
	if !r.trusted {
		return
	}
	reason := vitistackv1alpha1.ReasonPlaced
	if had := status.Condition(placed); r.Adopted || had != nil && had.Reason == vitistackv1alpha1.ReasonAdopted {
		reason = vitistackv1alpha1.ReasonAdopted
	}
	message := fmt.Sprintf("placed in %q as %s/%s", r.Ledger.Config, r.Ledger.Namespace, r.Ledger.VMName)
	trace := vitistackv1alpha1.ParsePlacementTrace(r.Machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	if by := trace.By(); by != "" && trace.Config == r.Ledger.Config {
		message += " " + by
	}
	r.set(status, placed, isTrue, reason, message)
}

func (r *report) setRemoteReachable(status *vitistackv1alpha1.MachineStatus) {
	const reachable = vitistackv1alpha1.ConditionRemoteReachable
	switch {
	case r.contact != nil && r.heldContact(*r.contact):
		if status.Condition(reachable) == nil {
			r.set(status, reachable, isUnknown, r.contact.Reason, r.contact.Message)
		}
	case r.contact != nil:
		r.set(status, reachable, isFalse, r.contact.Reason, r.contact.Message)
	case r.placed && (r.Looked || r.Reached > StepRemote):
		r.set(status, reachable, isTrue, vitistackv1alpha1.ReasonConnected, "the remote cluster answers")
	}
}

func (r *report) setNetworkReady(status *vitistackv1alpha1.MachineStatus, network networkVerdict) {
	const networkReady = vitistackv1alpha1.ConditionNetworkReady
	p, found := r.problems[networkReady]
	switch {
	case found:
		r.set(status, networkReady, isFalse, p.Reason, p.Message)
	case r.networkKnown():
		r.set(status, networkReady, network.value, network.reason, network.message)
	}
}

// networkKnown says that this reconcile prepared the network and was answered by the remote
// cluster, so that addresses can be judged.
func (r *report) networkKnown() bool { return r.Looked && r.Reached > StepNetwork && !r.deleting() }

func (r *report) setVirtualMachineReady(status *vitistackv1alpha1.MachineStatus) {
	const vmReady = vitistackv1alpha1.ConditionVirtualMachineReady
	p, found := r.problems[vmReady]
	switch {
	case found:
		r.setApplied(status, vmReady, isFalse, p.Reason, p.Message)
	case r.verdict != nil:
		r.setApplied(status, vmReady, r.verdict.ready, r.verdict.reason, r.verdict.message)
	case r.Looked && r.placed && !r.deleting():
		r.setApplied(status, vmReady, isFalse, vitistackv1alpha1.ReasonCreating, creatingMessage)
	}
}

const creatingMessage = "the virtual machine is being made"

func restartRequired(vm *kubevirtv1.VirtualMachine) bool {
	if vm == nil {
		return false
	}
	return slices.ContainsFunc(vm.Status.Conditions, func(c kubevirtv1.VirtualMachineCondition) bool {
		return c.Type == kubevirtv1.VirtualMachineRestartRequired && string(c.Status) == string(isTrue)
	})
}
