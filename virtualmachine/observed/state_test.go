package observed_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// TestStates is the meaning of every word with which KubeVirt sums a VirtualMachine up, with and
// without a running instance.
func TestStates(t *testing.T) {
	ips := []string{"10.0.1.21", "2001:db8::10"}
	// The word too is that of the instance: a second write of the status would follow the first at once.
	running := summary{Phase: "Running", State: "Running", Ready: "True/Ready", VM: "True/Running", IPs: ips}
	cases := map[kubevirtv1.VirtualMachinePrintableStatus]struct {
		reason  string
		without summary // no instance
		beside  summary // a running instance
	}{
		"": {
			reason:  "just created: nobody has summed it up yet",
			without: summary{Phase: "Creating", Ready: "False/Creating", VM: "False/Creating"}, beside: running,
		},
		"Provisioning": {
			reason:  "its disks are made; Pending said nothing",
			without: summary{Phase: "Creating", Ready: "False/Provisioning", VM: "False/Provisioning"}, beside: running,
		},
		"WaitingForVolumeBinding": {
			reason:  "the same, one step further",
			without: summary{Phase: "Creating", Ready: "False/Provisioning", VM: "False/Provisioning"}, beside: running,
		},
		"Starting": {
			reason:  "a start; the instance may be ahead of the word",
			without: summary{Phase: "Creating", Ready: "False/Starting", VM: "False/Starting"}, beside: running,
		},
		"Running": {
			reason:  "it runs, even where its instance is not in the cache yet",
			without: summary{Phase: "Running", Ready: "True/Ready", VM: "True/Running"}, beside: running,
		},
		"Paused": {
			reason:  "the guest is there and frozen: it has its addresses, and is not ready",
			without: summary{Phase: "Running", Ready: "False/GuestPaused", VM: "False/GuestPaused"},
			beside:  summary{Phase: "Running", Ready: "False/GuestPaused", VM: "False/GuestPaused", IPs: ips},
		},
		"Migrating": {
			reason:  "the guest runs all the while",
			without: summary{Phase: "Running", Ready: "True/Ready", VM: "True/Migrating"},
			beside:  summary{Phase: "Running", Ready: "True/Ready", VM: "True/Migrating", IPs: ips},
		},
		"Stopping": {
			reason:  "a guest that shuts down is none that runs, nor one that succeeded",
			without: summary{Phase: "Stopping", Ready: "False/Stopping", VM: "False/Stopping"},
			beside:  summary{Phase: "Stopping", Ready: "False/Stopping", VM: "False/Stopping", IPs: ips},
		},
		"Stopped": {
			reason:  "Stopped is Stopped and not Succeeded, which no phase is called (D22)",
			without: summary{Phase: "Stopped", Ready: "True/Ready", VM: "True/Stopped"}, beside: running,
		},
		"Terminating": {
			reason:  "somebody deletes the VirtualMachine; the Machine is not being deleted, so it is not Terminating",
			without: summary{Phase: "Stopping", Ready: "False/Stopping", VM: "False/Stopping"},
			beside:  summary{Phase: "Stopping", Ready: "False/Stopping", VM: "False/Stopping", IPs: ips},
		},
		"CrashLoopBackOff": {
			reason: "a person must act",
			without: summary{
				Phase: "Failed", Ready: "False/CrashLoop", VM: "False/CrashLoop", Failure: "CrashLoop: the virtual machine fails again and again; look at the log of the virt-launcher Pod in the remote cluster",
			}, beside: running,
		},
		"ErrImagePull": {
			reason: "a person must act",
			without: summary{
				Phase: "Failed", Ready: "False/ImagePullFailed", VM: "False/ImagePullFailed",
				Failure: "ImagePullFailed: an image of the virtual machine cannot be fetched; correct the image, or the remote cluster's way to its registry",
			}, beside: running,
		},
		"ImagePullBackOff": {
			reason: "a person must act",
			without: summary{
				Phase: "Failed", Ready: "False/ImagePullFailed", VM: "False/ImagePullFailed",
				Failure: "ImagePullFailed: an image of the virtual machine cannot be fetched; correct the image, or the remote cluster's way to its registry",
			}, beside: running,
		},
		"ErrorPvcNotFound": {
			reason: "a person must act",
			without: summary{
				Phase: "Failed", Ready: "False/DiskFailed", VM: "False/DiskFailed",
				Failure: "DiskFailed: a PersistentVolumeClaim of the virtual machine does not exist; mend what CDI reports: image address, storage class or quota",
			}, beside: running,
		},
		"DataVolumeError": {
			reason: "a person must act",
			without: summary{
				Phase: "Failed", Ready: "False/DiskFailed", VM: "False/DiskFailed", Failure: "DiskFailed: a disk cannot be made or filled; mend what CDI reports: image address, storage class or quota",
			}, beside: running,
		},
		"ErrorUnschedulable": {
			reason: "it waits for a node, which may come: the phase is not Failed, and the failure says why",
			without: summary{
				Phase: "Pending", Ready: "False/Unschedulable", VM: "False/Unschedulable",
				Failure: "Unschedulable: no node can take the virtual machine",
			}, beside: running,
		},
		"WaitingForReceiver": {
			reason:  "it waits",
			without: summary{Phase: "Pending", Ready: "False/Starting", VM: "False/Starting"}, beside: running,
		},
		"Unknown": {
			reason:  "nobody can tell: the phase stays, which is Creating where there was none",
			without: summary{Phase: "Creating", Ready: "Unknown/Unreachable", VM: "Unknown/Unreachable"}, beside: running,
		},
		"SomethingNew": {
			reason:  "a word of a later KubeVirt is no failure",
			without: summary{Phase: "Pending", Ready: "False/Starting", VM: "False/Starting"}, beside: running,
		},
	}
	for state, tc := range cases {
		t.Run("State"+string(state), func(t *testing.T) {
			for vmi, want := range map[*kubevirtv1.VirtualMachineInstance]summary{nil: tc.without,
				instance(kubevirtv1.Running): tc.beside} {
				if want.Reaching = "True/Connected"; want.State == "" {
					want.State = string(state)
				}
				got := summarise(observed.Status(input(with(virtualMachine(state), vmi))))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("\n%s\nStatus(instance: %t): -want +got:\n%s", tc.reason, vmi != nil, diff)
				}
			}
		})
	}
}

// TestKubeVirtsReady: a virtual machine that KubeVirt calls not ready is not ready, as in the first
// minutes after its node was lost.
func TestKubeVirtsReady(t *testing.T) {
	ips := []string{"10.0.1.21", "2001:db8::10"}
	lost := instanceCondition("Ready", "NodeLost", "the node does not answer")
	notReady := func(vm *kubevirtv1.VirtualMachine) {
		vm.Status.Conditions = append(vm.Status.Conditions, kubevirtv1.VirtualMachineCondition{
			Type: kubevirtv1.VirtualMachineReady, Status: corev1.ConditionFalse, Reason: "NodeLost",
		})
	}
	cases := map[string]struct {
		reason  string
		vm      *kubevirtv1.VirtualMachine
		vmi     *kubevirtv1.VirtualMachineInstance
		want    summary
		message string
	}{
		"the instance is not ready": {
			reason:  "Ready was True while KubeVirt said that its node is lost.",
			vm:      virtualMachine("Running"),
			vmi:     instance(kubevirtv1.Running, lost),
			want:    summary{Phase: "Running", Ready: "False/GuestNotReady", VM: "False/GuestNotReady", IPs: ips},
			message: "the virtual machine runs, and KubeVirt says that it is not ready: NodeLost: the node does not answer",
		},
		"the VirtualMachine is not ready and its instance was not seen": {
			reason:  "The two watches are not in step, and the VirtualMachine repeats what its instance says.",
			vm:      virtualMachine("Running", notReady),
			want:    summary{Phase: "Running", Ready: "False/GuestNotReady", VM: "False/GuestNotReady"},
			message: "the virtual machine runs, and KubeVirt says that it is not ready: NodeLost",
		},
		"the VirtualMachine is behind its instance": {
			reason:  "The instance says that it is ready again before the VirtualMachine does.",
			vm:      virtualMachine("Running", notReady),
			vmi:     instance(kubevirtv1.Running),
			want:    summary{Phase: "Running", Ready: "True/Ready", VM: "True/Running", IPs: ips},
			message: "the virtual machine runs",
		},
		"a migration of a guest that is not ready": {
			reason:  "A guest that moves is ready only if KubeVirt says so.",
			vm:      virtualMachine("Migrating"),
			vmi:     instance(kubevirtv1.Running, lost),
			want:    summary{Phase: "Running", Ready: "False/GuestNotReady", VM: "False/GuestNotReady", IPs: ips},
			message: "the virtual machine runs, and KubeVirt says that it is not ready: NodeLost: the node does not answer",
		},
		"a frozen guest": {
			reason:  "KubeVirt calls a frozen guest not ready too, and that it is frozen says more.",
			vm:      virtualMachine("Paused"),
			vmi:     instance(kubevirtv1.Running, lost),
			want:    summary{Phase: "Running", Ready: "False/GuestPaused", VM: "False/GuestPaused", IPs: ips},
			message: "the guest is frozen; let the guest go on with virtctl unpause vm",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status := observed.Status(input(with(tc.vm, tc.vmi)))
			got := summarise(status)
			tc.want.State, tc.want.Reaching = string(tc.vm.Status.PrintableStatus), "True/Connected"
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nStatus(...): -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.message, status.Message); diff != "" {
				t.Errorf("\n%s\nMessage: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestUnknownKeeps: a node that is lost takes nothing away from what was known.
func TestUnknownKeeps(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	lost := input(after(ran), with(virtualMachine("Unknown"), nil))
	got := summarise(observed.Status(lost))
	want := summary{
		Phase: "Running", State: "Unknown", Ready: "Unknown/Unreachable", VM: "Unknown/Unreachable",
		IPs: []string{"10.0.1.21", "2001:db8::10"}, Reaching: "True/Connected",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestInstanceBehind: the two watches are not in step. An instance that the cache does not have yet
// takes no address away.
func TestInstanceBehind(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	behind := input(after(ran), with(virtualMachine("Running"), nil))
	want := behind.Machine.Status.PublicIPAddresses
	if diff := cmp.Diff(want, observed.Status(behind).PublicIPAddresses); diff != "" || len(want) == 0 {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFailures is what conditions of the remote cluster make of a Machine.
func TestFailures(t *testing.T) {
	dv := func(phase cdiv1beta1.DataVolumePhase, conditionType cdiv1beta1.DataVolumeConditionType, reason,
		message string) cdiv1beta1.DataVolume {
		return cdiv1beta1.DataVolume{
			ObjectMeta: metav1.ObjectMeta{Name: "vm-m-root-1a2b3c4d"},
			Status: cdiv1beta1.DataVolumeStatus{Phase: phase, Conditions: []cdiv1beta1.DataVolumeCondition{{
				Type: conditionType, Status: corev1.ConditionFalse, Reason: reason, Message: message,
			}}},
		}
	}
	importing := dv("ImportInProgress", cdiv1beta1.DataVolumeBound, "Pending", "PVC pending")
	importing.Status.Progress = "49.1%"
	importing.Status.Conditions = append(importing.Status.Conditions,
		dv("ImportInProgress", cdiv1beta1.DataVolumeReady, "Error", "again").Status.Conditions...)
	cases := map[string]struct {
		reason string
		vm     *kubevirtv1.VirtualMachine
		vmi    *kubevirtv1.VirtualMachineInstance
		dvs    []cdiv1beta1.DataVolume
		phase  vitistackv1alpha1.MachinePhase
		want   string // failure
		ready  string // message of Ready
	}{
		"StorageClass": {
			reason: "the typical trouble of a new site was never told (D16)", vm: virtualMachine("Provisioning"),
			dvs: []cdiv1beta1.DataVolume{dv("Pending", cdiv1beta1.DataVolumeBound, "ErrClaimNotValid",
				"no accessMode in the StorageProfile slow")},
			phase: "Failed",
			want:  "DiskFailed: a disk cannot be made or filled: DataVolume vm-m-root-1a2b3c4d: ErrClaimNotValid: no accessMode in the StorageProfile slow; mend what CDI reports: image address, storage class or quota",
		},
		"Quota": {
			reason: "nor was a quota", vm: virtualMachine("Provisioning"),
			dvs: []cdiv1beta1.DataVolume{dv("Pending", cdiv1beta1.DataVolumeRunning, "ErrExceededQuota",
				"exceeded quota: team-a")},
			phase: "Failed", want: "DiskFailed: a disk cannot be made or filled: DataVolume vm-m-root-1a2b3c4d: ErrExceededQuota: exceeded quota: team-a; mend what CDI reports: image address, storage class or quota",
		},
		"Import": {
			reason: "an image that is not there explains KubeVirt's word", vm: virtualMachine("DataVolumeError"),
			dvs:   []cdiv1beta1.DataVolume{dv("ImportInProgress", cdiv1beta1.DataVolumeRunning, "Error", "404 Not Found")},
			phase: "Failed", want: "DiskFailed: a disk cannot be made or filled: DataVolume vm-m-root-1a2b3c4d: Error: 404 Not Found; mend what CDI reports: image address, storage class or quota",
		},
		"ImportFailed": {
			reason: "a DataVolume without words", vm: virtualMachine("Provisioning"),
			dvs:   []cdiv1beta1.DataVolume{dv("Failed", "", "", "")},
			phase: "Failed", want: "DiskFailed: a disk cannot be made or filled: DataVolume vm-m-root-1a2b3c4d: failed; mend what CDI reports: image address, storage class or quota",
		},
		"ImportRuns": {
			reason: "an importer that is at work is no failure", vm: virtualMachine("Provisioning"),
			dvs:   []cdiv1beta1.DataVolume{importing},
			phase: "Creating",
			ready: "the disks are being made: DataVolume vm-m-root-1a2b3c4d is in the phase ImportInProgress at 40%",
		},
		"ImportDone": {
			reason: "what is over is over", vm: virtualMachine("Starting"),
			dvs:   []cdiv1beta1.DataVolume{dv("Succeeded", cdiv1beta1.DataVolumeRunning, "Error", "earlier")},
			phase: "Creating", ready: "the virtual machine is being started",
		},
		"Rejected": {
			reason: "the instance is not admitted", vm: virtualMachine("Starting",
				machineCondition(kubevirtv1.VirtualMachineFailure, "FailedCreate", "admission webhook denied the request")),
			phase: "Failed", want: "Rejected: the remote cluster does not admit the instance of the virtual machine: FailedCreate: admission webhook denied the request; change what the remote cluster's message names: the Machine, a policy, a quota or a right",
		},
		"PodRejected": {
			reason: "nor its pod", vm: virtualMachine("Starting"),
			vmi:   instance(kubevirtv1.Pending, instanceCondition("Synchronized", "FailedCreate", "exceeded quota")),
			phase: "Failed", want: "Rejected: the remote cluster does not admit the instance of the virtual machine: FailedCreate: exceeded quota; change what the remote cluster's message names: the Machine, a policy, a quota or a right",
		},
		"Domain": {
			reason: "the guest cannot be started", vm: virtualMachine("Starting"),
			vmi: instance(kubevirtv1.Scheduled,
				instanceCondition("Synchronized", "Synchronizing with the Domain failed.", "no host CPU model")),
			phase: "Failed", want: "CrashLoop: the guest cannot be started: Synchronizing with the Domain failed.: no host CPU model; look at the log of the virt-launcher Pod in the remote cluster",
		},
		"ImagePull": {
			reason: "the cause stands in the instance", vm: virtualMachine("ErrImagePull"),
			vmi:   instance(kubevirtv1.Scheduling, instanceCondition("Synchronized", "ErrImagePull", "manifest unknown")),
			phase: "Failed", want: "ImagePullFailed: an image of the virtual machine cannot be fetched: ErrImagePull: manifest unknown; correct the image, or the remote cluster's way to its registry",
		},
		"Unschedulable": {
			reason: "it says why no node can take it, and a new node ends it: the phase is not Failed",
			vm:     virtualMachine("ErrorUnschedulable"),
			vmi: instance(kubevirtv1.Scheduling,
				instanceCondition("PodScheduled", "Unschedulable", "0/3 nodes are available")),
			phase: "Pending", ready: "no node can take the virtual machine: 0/3 nodes are available",
			want: "Unschedulable: no node can take the virtual machine: 0/3 nodes are available",
		},
		"OverWhenItRuns": {
			reason: "a failure stayed for ever, also on Machines that ran (D15)",
			vm:     virtualMachine("Running", machineCondition(kubevirtv1.VirtualMachineFailure, "FailedCreate", "earlier")),
			vmi:    instance(kubevirtv1.Running, instanceCondition("Synchronized", "x", "y")),
			dvs:    []cdiv1beta1.DataVolume{dv("Failed", "", "", "")},
			phase:  "Running", ready: "the virtual machine runs",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			failed := input(with(virtualMachine("CrashLoopBackOff"), nil))
			got := observed.Status(input(after(failed), with(tc.vm, tc.vmi), func(in *observed.Input) {
				in.DataVolumes = tc.dvs
			}))
			if diff := cmp.Diff(tc.phase, got.Phase); diff != "" {
				t.Errorf("\n%s\nPhase: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.want, summarise(got).Failure); diff != "" {
				t.Errorf("\n%s\nFailure: -want +got:\n%s", tc.reason, diff)
			}
			if tc.ready != "" {
				if diff := cmp.Diff(tc.ready, got.Message); diff != "" {
					t.Errorf("\n%s\nMessage: -want +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

// TestFailuresSorted: the order in which disks are read is no news.
func TestFailuresSorted(t *testing.T) {
	failed := func(name string) cdiv1beta1.DataVolume {
		return cdiv1beta1.DataVolume{ObjectMeta: metav1.ObjectMeta{Name: name},
			Status: cdiv1beta1.DataVolumeStatus{Phase: cdiv1beta1.Failed}}
	}
	one := input(with(virtualMachine("DataVolumeError"), nil), func(in *observed.Input) {
		in.DataVolumes = []cdiv1beta1.DataVolume{failed("a"), failed("b")}
	})
	other := input(after(one), with(virtualMachine("DataVolumeError"), nil), func(in *observed.Input) {
		in.DataVolumes = []cdiv1beta1.DataVolume{failed("b"), failed("a")}
	})
	if diff := cmp.Diff(other.Machine.Status, observed.Status(other)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
