package observed

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// verdict is what a VirtualMachine means for its Machine.
type verdict struct {
	// phase of the Machine, "" where it stays.
	phase vitistackv1alpha1.MachinePhase
	// ready, reason and message are of the condition VirtualMachineReady.
	ready           metav1.ConditionStatus
	reason, message string
}

var running = verdict{vitistackv1alpha1.MachinePhaseRunning, isTrue, vitistackv1alpha1.ReasonRunning,
	"the virtual machine runs"}

// failed is what went wrong, by the reason.
var failed = map[string]string{
	vitistackv1alpha1.ReasonCrashLoop:       "the guest cannot be started",
	vitistackv1alpha1.ReasonDiskFailed:      "a disk cannot be made or filled",
	vitistackv1alpha1.ReasonImagePullFailed: "an image of the virtual machine cannot be fetched",
	vitistackv1alpha1.ReasonRejected:        "the remote cluster does not admit the instance of the virtual machine",
}

// verdicts are those of KubeVirt's own summary.
var verdicts = map[kubevirtv1.VirtualMachinePrintableStatus]verdict{
	"": {vitistackv1alpha1.MachinePhaseCreating, isFalse,
		vitistackv1alpha1.ReasonCreating, creatingMessage},
	kubevirtv1.VirtualMachineStatusRunning: running,
	kubevirtv1.VirtualMachineStatusMigrating: {
		vitistackv1alpha1.MachinePhaseRunning, isTrue, vitistackv1alpha1.ReasonMigrating,
		"the virtual machine runs and moves to another node",
	},
	kubevirtv1.VirtualMachineStatusPaused: {
		vitistackv1alpha1.MachinePhaseRunning, isFalse, vitistackv1alpha1.ReasonGuestPaused,
		"the guest is frozen",
	},
	kubevirtv1.VirtualMachineStatusProvisioning: {
		vitistackv1alpha1.MachinePhaseCreating, isFalse, vitistackv1alpha1.ReasonProvisioning, "the disks are being made",
	},
	kubevirtv1.VirtualMachineStatusWaitingForVolumeBinding: {
		vitistackv1alpha1.MachinePhaseCreating, isFalse, vitistackv1alpha1.ReasonProvisioning,
		"the disks wait for their storage",
	},
	kubevirtv1.VirtualMachineStatusStarting: {
		vitistackv1alpha1.MachinePhaseCreating, isFalse, vitistackv1alpha1.ReasonStarting,
		"the virtual machine is being started",
	},
	kubevirtv1.VirtualMachineStatusUnschedulable: {
		vitistackv1alpha1.MachinePhasePending, isFalse, vitistackv1alpha1.ReasonUnschedulable,
		"no node can take the virtual machine",
	},
	kubevirtv1.VirtualMachineStatusWaitingForReceiver: {
		vitistackv1alpha1.MachinePhasePending, isFalse, vitistackv1alpha1.ReasonStarting,
		"the virtual machine waits to receive another one",
	},
	kubevirtv1.VirtualMachineStatusStopping: {
		vitistackv1alpha1.MachinePhaseStopping, isFalse, vitistackv1alpha1.ReasonStopping, "the guest is shutting down",
	},
	kubevirtv1.VirtualMachineStatusTerminating: {
		vitistackv1alpha1.MachinePhaseStopping, isFalse, vitistackv1alpha1.ReasonStopping,
		"the VirtualMachine is being deleted in the remote cluster",
	},
	kubevirtv1.VirtualMachineStatusStopped: {
		vitistackv1alpha1.MachinePhaseStopped, isTrue, vitistackv1alpha1.ReasonStopped, "the virtual machine is stopped",
	},
	kubevirtv1.VirtualMachineStatusUnknown: {
		"", isUnknown, vitistackv1alpha1.ReasonUnreachable,
		"KubeVirt cannot tell the state of the virtual machine: its node may not answer",
	},
	kubevirtv1.VirtualMachineStatusCrashLoopBackOff: {
		vitistackv1alpha1.MachinePhaseFailed, isFalse, vitistackv1alpha1.ReasonCrashLoop,
		"the virtual machine fails again and again",
	},
	kubevirtv1.VirtualMachineStatusErrImagePull: {
		vitistackv1alpha1.MachinePhaseFailed, isFalse, vitistackv1alpha1.ReasonImagePullFailed,
		failed[vitistackv1alpha1.ReasonImagePullFailed],
	},
	kubevirtv1.VirtualMachineStatusImagePullBackOff: {
		vitistackv1alpha1.MachinePhaseFailed, isFalse, vitistackv1alpha1.ReasonImagePullFailed,
		failed[vitistackv1alpha1.ReasonImagePullFailed],
	},
	kubevirtv1.VirtualMachineStatusPvcNotFound: {
		vitistackv1alpha1.MachinePhaseFailed, isFalse, vitistackv1alpha1.ReasonDiskFailed,
		"a PersistentVolumeClaim of the virtual machine does not exist",
	},
	kubevirtv1.VirtualMachineStatusDataVolumeError: {
		vitistackv1alpha1.MachinePhaseFailed, isFalse, vitistackv1alpha1.ReasonDiskFailed,
		failed[vitistackv1alpha1.ReasonDiskFailed],
	},
}

// isFailure says whether the status names a failure. That no node can take the virtual machine is
// one that a new node ends, so the phase is not Failed then.
func (v verdict) isFailure() bool {
	info, _ := vitistackv1alpha1.InfoOf(v.reason)
	return v.phase == vitistackv1alpha1.MachinePhaseFailed || v.phase == vitistackv1alpha1.MachinePhasePending &&
		!info.Ordinary
}

// final are the words that a running instance does not overrule: they say that it is about to end,
// is frozen, or is on its way.
var final = map[kubevirtv1.VirtualMachinePrintableStatus]bool{
	kubevirtv1.VirtualMachineStatusStopping:    true,
	kubevirtv1.VirtualMachineStatusTerminating: true,
	kubevirtv1.VirtualMachineStatusMigrating:   true,
	kubevirtv1.VirtualMachineStatusPaused:      true,
}

// filling are the words that say that disks are being made or filled.
var filling = map[kubevirtv1.VirtualMachinePrintableStatus]bool{
	kubevirtv1.VirtualMachineStatusProvisioning:            true,
	kubevirtv1.VirtualMachineStatusWaitingForVolumeBinding: true,
}

// judge reads a VirtualMachine and its instance. The two come from different watches: where the
// instance runs already, a VirtualMachine that is behind does not count.
func judge(
	vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance, dataVolumes []cdiv1beta1.DataVolume,
) verdict {
	if overruled(vm, vmi) {
		return running.unlessNotReady(vm, vmi)
	}
	state := vm.Status.PrintableStatus
	if state == kubevirtv1.VirtualMachineStatusStopped && alwaysRuns(vm) {
		state = kubevirtv1.VirtualMachineStatusStarting // KubeVirt is about to start it
	}
	v, known := verdicts[state]
	if !known {
		v = verdict{
			vitistackv1alpha1.MachinePhasePending, isFalse, vitistackv1alpha1.ReasonStarting,
			fmt.Sprintf("KubeVirt reports the state %q", word(string(state))),
		}
	}
	if v.phase == vitistackv1alpha1.MachinePhaseRunning {
		return v.unlessNotReady(vm, vmi).instructive()
	}
	if filling[state] {
		v.message += progress(dataVolumes)
	}
	return v.with(failures(vm, vmi, dataVolumes)).instructive()
}

// overruled says whether the instance runs already and the word of the VirtualMachine does not count.
func overruled(vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance) bool {
	return vmi != nil && vmi.Status.Phase == kubevirtv1.Running && vmi.DeletionTimestamp.IsZero() &&
		!final[vm.Status.PrintableStatus]
}

// printableStatus is KubeVirt's word for the state. Where the VirtualMachine is behind, it is the
// one that KubeVirt is about to write: to show the former one would cost another write of the status.
func printableStatus(
	vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance,
) kubevirtv1.VirtualMachinePrintableStatus {
	if overruled(vm, vmi) {
		return kubevirtv1.VirtualMachineStatusRunning
	}
	return vm.Status.PrintableStatus
}

// asAsked says of a frozen guest that its Machine asks for that, where it does.
func (v verdict) asAsked(machine *vitistackv1alpha1.Machine) verdict {
	if v.reason == vitistackv1alpha1.ReasonGuestPaused &&
		machine.Annotations[vitistackv1alpha1.AnnotationPauseGuest] == "true" {
		v.message = "the guest is frozen, as annotation " + vitistackv1alpha1.AnnotationPauseGuest +
			" asks; take it off to let the guest go on"
	}
	return v
}

// instructive adds to a message what a person has to do, where one has to act.
func (v verdict) instructive() verdict {
	if info, _ := vitistackv1alpha1.InfoOf(v.reason); info.Acts == vitistackv1alpha1.ActorPerson {
		v.message += "; " + info.Help
	}
	return v
}

// unlessNotReady takes KubeVirt's word that a virtual machine which runs is not ready, for example
// because its node was lost. Of a frozen guest that is known already.
func (v verdict) unlessNotReady(vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance) verdict {
	reason, message, notReady := kubeVirtNotReady(vm, vmi)
	if !notReady || v.ready != isTrue {
		return v
	}
	v.ready, v.reason = isFalse, vitistackv1alpha1.ReasonGuestNotReady
	v.message = "the virtual machine runs, and KubeVirt says that it is not ready"
	if told := explain(reason, message); told != "" {
		v.message += ": " + told
	}
	return v
}

// kubeVirtNotReady is the condition Ready where it is False. That of the VirtualMachine repeats
// that of the instance, later, so it counts only where the instance was not seen.
func kubeVirtNotReady(
	vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance,
) (reason, message string, notReady bool) {
	if vmi != nil {
		for _, c := range vmi.Status.Conditions {
			if c.Type == kubevirtv1.VirtualMachineInstanceReady && c.Status == corev1.ConditionFalse {
				return c.Reason, c.Message, true
			}
		}
		return "", "", false
	}
	for _, c := range vm.Status.Conditions {
		if c.Type == kubevirtv1.VirtualMachineReady && c.Status == corev1.ConditionFalse {
			return c.Reason, c.Message, true
		}
	}
	return "", "", false
}

// alwaysRuns says whether the virtual machine is started whenever it does not run. Where people
// stop it, they change that.
func alwaysRuns(vm *kubevirtv1.VirtualMachine) bool {
	return vm.Spec.RunStrategy != nil && *vm.Spec.RunStrategy == kubevirtv1.RunStrategyAlways
}

// with adds what went wrong. Before the virtual machine runs, that is a failure by itself; else it
// explains one.
func (v verdict) with(found failure) verdict {
	if found.message == "" {
		return v
	}
	early := v.phase == vitistackv1alpha1.MachinePhaseCreating || v.phase == vitistackv1alpha1.MachinePhasePending
	switch {
	case early && found.reason != "":
		v = verdict{vitistackv1alpha1.MachinePhaseFailed, isFalse, found.reason, failed[found.reason] + ": " + found.message}
	case early, v.phase == vitistackv1alpha1.MachinePhaseFailed:
		v.message += ": " + found.message
	}
	return v
}
