package agent

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// generationAnnotation on an instance is the generation of the VirtualMachine that it was made
// from.
const generationAnnotation = "kubevirt.io/vm-generation"

// describe writes the status that virt-controller gives a VirtualMachine.
func describe(m *machine) {
	status := &m.vm.Status
	status.Created = m.vmi != nil
	status.Ready = m.vmi != nil && holds(m.vmi, kubevirtv1.VirtualMachineInstanceReady, corev1.ConditionTrue)
	if strategy, err := m.vm.RunStrategy(); err == nil && (status.RunStrategy != "" || status.Created) {
		status.RunStrategy = strategy
	}
	trimRequests(m)
	describeGeneration(m)
	describeConditions(m)
	status.PrintableStatus = printable(m)
}

// printable is the one word for it all: the first that fits.
func printable(m *machine) kubevirtv1.VirtualMachinePrintableStatus {
	vmi := m.vmi
	switch {
	case m.vm.DeletionTimestamp != nil:
		return kubevirtv1.VirtualMachineStatusTerminating
	case vmi != nil && !vmi.IsFinal() && vmi.DeletionTimestamp != nil:
		return kubevirtv1.VirtualMachineStatusStopping
	case vmi != nil && vmi.IsRunning():
		return kubevirtv1.VirtualMachineStatusRunning
	case vmi != nil && reasonOf(vmi, kubevirtv1.VirtualMachineInstanceSynchronized) == claimNotFound:
		return kubevirtv1.VirtualMachineStatusPvcNotFound
	case volumeFailed(m):
		return kubevirtv1.VirtualMachineStatusDataVolumeError
	case vmi != nil && reasonOf(vmi, podScheduled) == corev1.PodReasonUnschedulable:
		return kubevirtv1.VirtualMachineStatusUnschedulable
	case provisioning(m):
		return kubevirtv1.VirtualMachineStatusProvisioning
	case vmi != nil && reasonOf(vmi, kubevirtv1.VirtualMachineInstanceSynchronized) == errImagePull:
		return kubevirtv1.VirtualMachineStatusErrImagePull
	case vmi != nil && !vmi.IsFinal():
		return kubevirtv1.VirtualMachineStatusStarting
	case m.vm.Status.StartFailure != nil && restarts(m.vm):
		return kubevirtv1.VirtualMachineStatusCrashLoopBackOff
	default:
		return kubevirtv1.VirtualMachineStatusStopped
	}
}

func restarts(vm *kubevirtv1.VirtualMachine) bool {
	strategy, err := vm.RunStrategy()
	return err == nil && strategy != kubevirtv1.RunStrategyHalted && strategy != kubevirtv1.RunStrategyManual
}

func volumeFailed(m *machine) bool {
	for _, volume := range m.volumes {
		if volume.Status.Phase == cdiv1.Failed {
			return true
		}
		for _, condition := range volume.Status.Conditions {
			if condition.Type == cdiv1.DataVolumeRunning && condition.Status == corev1.ConditionFalse &&
				condition.Reason == "Error" {
				return true
			}
		}
	}
	return false
}

func provisioning(m *machine) bool {
	for _, volume := range m.volumes {
		if volume.Status.Phase != cdiv1.Succeeded {
			return true
		}
	}
	return false
}

// describeGeneration says whether the guest is one of the template as it is now.
func describeGeneration(m *machine) {
	m.vm.Status.DesiredGeneration = m.vm.Generation
	if m.vmi == nil {
		removeMachineCondition(m.vm, kubevirtv1.VirtualMachineRestartRequired)
		return
	}
	if equality.Semantic.DeepEqual(instanceFor(m.vm).Spec, m.vmi.Spec) {
		m.vm.Status.ObservedGeneration = m.vm.Generation
		return
	}
	if made, err := strconv.ParseInt(m.vmi.Annotations[generationAnnotation], 10, 64); err == nil {
		m.vm.Status.ObservedGeneration = made
	}
	setMachineCondition(m.vm, kubevirtv1.VirtualMachineCondition{
		Type: kubevirtv1.VirtualMachineRestartRequired, Status: corev1.ConditionTrue, Reason: "RestartRequired",
		Message: "a non-live-updatable field was changed in the template spec",
	})
}

// describeConditions takes over the guest's conditions, and says why there is none.
func describeConditions(m *machine) {
	if m.failure == nil {
		removeMachineCondition(m.vm, kubevirtv1.VirtualMachineFailure)
	} else {
		setMachineCondition(m.vm, kubevirtv1.VirtualMachineCondition{
			Type: kubevirtv1.VirtualMachineFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
			Message: m.failure.Error(),
		})
	}
	if m.vmi == nil {
		setMachineCondition(m.vm, kubevirtv1.VirtualMachineCondition{
			Type: kubevirtv1.VirtualMachineReady, Status: corev1.ConditionFalse, Reason: "VMINotExists",
			Message: "VMI does not exist",
		})
		return
	}
	taken := map[kubevirtv1.VirtualMachineConditionType]bool{
		kubevirtv1.VirtualMachineFailure: true, kubevirtv1.VirtualMachineRestartRequired: true,
		kubevirtv1.VirtualMachineReady: true,
	}
	for _, condition := range m.vmi.Status.Conditions {
		kind := kubevirtv1.VirtualMachineConditionType(condition.Type)
		taken[kind] = true
		setMachineCondition(m.vm, kubevirtv1.VirtualMachineCondition{
			Type: kind, Status: condition.Status, Reason: condition.Reason, Message: condition.Message,
			LastProbeTime: condition.LastProbeTime, LastTransitionTime: condition.LastTransitionTime,
		})
	}
	for _, condition := range append([]kubevirtv1.VirtualMachineCondition(nil), m.vm.Status.Conditions...) {
		if !taken[condition.Type] {
			removeMachineCondition(m.vm, condition.Type)
		}
	}
}

func setMachineCondition(vm *kubevirtv1.VirtualMachine, next kubevirtv1.VirtualMachineCondition) {
	if next.LastTransitionTime.IsZero() {
		next.LastTransitionTime = metav1.Now()
	}
	for i, old := range vm.Status.Conditions {
		if old.Type != next.Type {
			continue
		}
		if old.Status != next.Status || old.Reason != next.Reason || old.Message != next.Message {
			vm.Status.Conditions[i] = next
		}
		return
	}
	vm.Status.Conditions = append(vm.Status.Conditions, next)
}

func removeMachineCondition(vm *kubevirtv1.VirtualMachine, kind kubevirtv1.VirtualMachineConditionType) {
	vm.Status.Conditions = slices.DeleteFunc(vm.Status.Conditions, func(c kubevirtv1.VirtualMachineCondition) bool {
		return c.Type == kind
	})
}
