package observed

import (
	"fmt"
	"slices"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// maxMessage bounds a message in bytes: enough for a person, and it cannot fill an object.
const maxMessage = 1024

// setConditions sets our conditions and Ready, and what repeats Ready.
func (r *report) setConditions(status *vitistackv1alpha1.MachineStatus) {
	// Earlier releases appended a condition of the type Unknown at every failure, and never took one away.
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c vitistackv1alpha1.MachineCondition) bool {
		return c.Type == "" || c.Type == string(isUnknown)
	})
	r.setPlaced(status)
	r.setRemoteReachable(status)
	r.setNetworkReady(status)
	r.setVirtualMachineReady(status)
	r.setReady(status)
	if ready := status.Condition(vitistackv1alpha1.ConditionReady); ready != nil {
		status.Message = ready.Message
	}
}

func (r *report) set(status *vitistackv1alpha1.MachineStatus, conditionType string, value metav1.ConditionStatus, reason, message string) {
	status.SetCondition(metav1.Condition{
		Type:               conditionType,
		Status:             value,
		ObservedGeneration: r.Machine.Generation,
		LastTransitionTime: metav1.Time{Time: r.Now},
		Reason:             reason,
		Message:            clip(message),
	})
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
	case r.contact != nil && r.held(*r.contact):
		if status.Condition(reachable) == nil {
			r.set(status, reachable, isUnknown, r.contact.Reason, r.contact.Message)
		}
	case r.contact != nil:
		r.set(status, reachable, isFalse, r.contact.Reason, r.contact.Message)
	case r.placed && (r.Looked || r.Reached > StepRemote):
		r.set(status, reachable, isTrue, vitistackv1alpha1.ReasonConnected, "the remote cluster answers")
	}
}

func (r *report) setNetworkReady(status *vitistackv1alpha1.MachineStatus) {
	const network = vitistackv1alpha1.ConditionNetworkReady
	if p, found := r.problems[network]; found {
		r.set(status, network, isFalse, p.Reason, p.Message)
	} else if r.Reached > StepNetwork && !r.deleting() {
		r.set(status, network, isTrue, vitistackv1alpha1.ReasonNetworkConfigured, "interfaces and addresses are there")
	}
}

func (r *report) setVirtualMachineReady(status *vitistackv1alpha1.MachineStatus) {
	const vmReady = vitistackv1alpha1.ConditionVirtualMachineReady
	if p, found := r.problems[vmReady]; found {
		r.set(status, vmReady, isFalse, p.Reason, p.Message)
		return
	}
	switch {
	case r.verdict != nil:
		r.set(status, vmReady, r.verdict.ready, r.verdict.reason, r.verdict.message)
	case r.Looked && r.placed && !r.deleting():
		r.set(status, vmReady, isFalse, vitistackv1alpha1.ReasonCreating, creatingMessage)
	}
}

// setReady sums the others up.
func (r *report) setReady(status *vitistackv1alpha1.MachineStatus) {
	const ready = vitistackv1alpha1.ConditionReady
	vmReady := status.Condition(vitistackv1alpha1.ConditionVirtualMachineReady)
	switch {
	case r.contact != nil && r.held(*r.contact) && hasStatus(r.Machine.Status, vitistackv1alpha1.ConditionPlaced, isTrue) && status.Condition(ready) != nil:
		// too young to be told
	case r.contact != nil:
		r.set(status, ready, isUnknown, r.contact.Reason, r.contact.Message)
	case r.deleting():
		r.set(status, ready, isFalse, vitistackv1alpha1.ReasonDeleting, r.deletingMessage())
	case r.problem != nil:
		r.set(status, ready, isFalse, r.problem.Reason, r.problem.Message)
	case vmReady == nil:
		r.set(status, ready, isFalse, vitistackv1alpha1.ReasonCreating, creatingMessage)
	case vmReady.Status != isTrue:
		r.set(status, ready, vmReady.Status, vmReady.Reason, vmReady.Message)
	case restartRequired(r.vm):
		r.set(status, ready, isTrue, vitistackv1alpha1.ReasonRestartRequired, "a change waits for the next start of the virtual machine")
	default:
		r.set(status, ready, isTrue, vitistackv1alpha1.ReasonReady, vmReady.Message)
	}
}

const creatingMessage = "the virtual machine is being made"

func (r *report) deletingMessage() string {
	const message = "what was made for the Machine is being deleted"
	if r.problem == nil {
		return message
	}
	return message + ": " + r.problem.Message
}

func restartRequired(vm *kubevirtv1.VirtualMachine) bool {
	if vm == nil {
		return false
	}
	return slices.ContainsFunc(vm.Status.Conditions, func(c kubevirtv1.VirtualMachineCondition) bool {
		return c.Type == kubevirtv1.VirtualMachineRestartRequired && string(c.Status) == string(isTrue)
	})
}

// clip cuts a message at the limit, between characters.
func clip(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	end := maxMessage - len("...")
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + "..."
}
