package relocation_test

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/relocation"
)

// refused reports the reason and the message of a refusal, "" where there is none.
func refused(t *testing.T, err error) (reason, message string) {
	t.Helper()
	if err == nil {
		return "", ""
	}
	var refusal *desired.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("%v is no refusal", err)
	}
	return refusal.Reason, refusal.Message
}

// volume adds one to a VirtualMachine.
func volume(name string, source kubevirtv1.VolumeSource) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) {
		spec := &vm.Spec.Template.Spec
		spec.Volumes = append(spec.Volumes, kubevirtv1.Volume{Name: name, VolumeSource: source})
	}
}

// firmware sets a bootloader.
func firmware(efi kubevirtv1.EFI) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) {
		vm.Spec.Template.Spec.Domain.Firmware.Bootloader = &kubevirtv1.Bootloader{EFI: &efi}
	}
}

func TestMovable(t *testing.T) {
	claim := corev1.PersistentVolumeClaimVolumeSource{ClaimName: "web-extra"}
	type source = kubevirtv1.VolumeSource
	cases := map[string]struct {
		reason   string
		vm       func(*kubevirtv1.VirtualMachine)
		instance func(*kubevirtv1.VirtualMachineInstance)
		tells    string // "" where it can go
	}{
		"AsItIs": {reason: "The usual VirtualMachine goes."},
		"NoTemplate": {
			reason: "There is no guest to take along.",
			vm:     func(vm *kubevirtv1.VirtualMachine) { vm.Spec.Template = nil },
			tells:  "has no template",
		},
		"BeingDeleted": {
			reason: "What is going anyway is not moved.",
			vm:     func(vm *kubevirtv1.VirtualMachine) { vm.DeletionTimestamp = ptr.To(metav1.Now()) },
			tells:  "is being deleted",
		},
		"Snapshot": {
			reason: "A snapshot reads the disks at the same time.",
			vm:     func(vm *kubevirtv1.VirtualMachine) { vm.Status.SnapshotInProgress = ptr.To("nightly") },
			tells:  "wait for its end",
		},
		"Restore": {
			reason: "A restore writes the disks at the same time.",
			vm:     func(vm *kubevirtv1.VirtualMachine) { vm.Status.RestoreInProgress = ptr.To("back") },
			tells:  "wait for its end",
		},
		"PluggingADisk": {
			reason: "Nobody knows yet whether that disk belongs to the guest.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Status.VolumeRequests = []kubevirtv1.VirtualMachineVolumeRequest{{}}
			},
			tells: "plugged in or out",
		},
		"MemoryDump": {
			reason: "A memory dump is a file in a claim of the source.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Status.MemoryDumpRequest = &kubevirtv1.VirtualMachineMemoryDumpRequest{}
			},
			tells: "virtctl memory-dump remove",
		},
		"GPU": {
			reason: "A device of a host is no device of another one.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.GPUs = []kubevirtv1.GPU{{Name: "gpu"}}
			},
			tells: "devices of its host",
		},
		"HostDevice": {
			reason: "A device of a host is no device of another one.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.HostDevices = []kubevirtv1.HostDevice{{Name: "card"}}
			},
			tells: "devices of its host",
		},
		"PersistentTPM": {
			reason: "Keys that disks are sealed with would be lost.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.TPM = &kubevirtv1.TPMDevice{Persistent: ptr.To(true)}
			},
			tells: "TPM",
		},
		"TPMWithoutAState": {
			reason: "A TPM that begins anew at each start does so at the target.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.TPM = &kubevirtv1.TPMDevice{}
			},
		},
		"PersistentEFI": {
			reason: "The variables of the firmware would be lost.",
			vm:     firmware(kubevirtv1.EFI{Persistent: ptr.To(true)}),
			tells:  "EFI",
		},
		"EFI": {reason: "A firmware that keeps nothing goes.", vm: firmware(kubevirtv1.EFI{})},
		"BIOS": {reason: "A bootloader that is no EFI keeps nothing.", vm: func(vm *kubevirtv1.VirtualMachine) {
			vm.Spec.Template.Spec.Domain.Firmware.Bootloader = &kubevirtv1.Bootloader{BIOS: &kubevirtv1.BIOS{}}
		}},
		"Node": {
			reason: "The target has no node of that name, or another one.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.NodeSelector = map[string]string{corev1.LabelHostname: "node-7"}
			},
			tells: "node-7",
		},
		"NodesOfAZone": {
			reason: "Labels of nodes may well be the same in both clusters; readiness looks for them.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.NodeSelector = map[string]string{corev1.LabelTopologyZone: "north"}
			},
		},
		"HostDisk": {
			reason: "No export has a file of a node.",
			vm:     volume("file", source{HostDisk: &kubevirtv1.HostDisk{Path: "/disk"}}), tells: "volume file is a file of its node",
		},
		"Ephemeral": {
			reason: "The disk below is another's.",
			vm:     volume("layer", source{Ephemeral: &kubevirtv1.EphemeralVolumeSource{}}), tells: "volume layer is laid over",
		},
		"MemoryDumpVolume": {
			reason: "A memory dump is no disk of the guest.",
			vm:     volume("dump", source{MemoryDump: &kubevirtv1.MemoryDumpVolumeSource{}}), tells: "volume dump is a memory dump",
		},
		"ContainerPath": {
			reason: "The path is in the Pod of the source.",
			vm:     volume("path", source{ContainerPath: &kubevirtv1.ContainerPathVolumeSource{}}), tells: "volume path is a path",
		},
		"PluggedDataVolume": {
			reason: "A plugged disk comes back by its own definition, which the target has not.",
			vm:     volume("plug", source{DataVolume: &kubevirtv1.DataVolumeSource{Name: "plug", Hotpluggable: true}}),
			tells:  "virtctl removevolume",
		},
		"PluggedClaim": {
			reason: "The same as a claim.",
			vm: volume("plug", source{PersistentVolumeClaim: &kubevirtv1.PersistentVolumeClaimVolumeSource{
				PersistentVolumeClaimVolumeSource: claim, Hotpluggable: true,
			}}),
			tells: "virtctl removevolume",
		},
		"Claim": {
			reason: "A disk that somebody made beforehand goes along.",
			vm: volume("extra", source{PersistentVolumeClaim: &kubevirtv1.PersistentVolumeClaimVolumeSource{
				PersistentVolumeClaimVolumeSource: claim,
			}}),
		},
		"ContainerDisk": {
			reason: "An image is fetched by each cluster for itself.",
			vm:     volume("image", source{ContainerDisk: &kubevirtv1.ContainerDiskSource{Image: "registry/image"}}),
		},
		"Secret": {
			reason: "Whether the target has the Secret is what readiness says.",
			vm:     volume("secret", source{Secret: &kubevirtv1.SecretVolumeSource{SecretName: "secret"}}),
		},
		"LUN": {
			reason: "The guest talks to the storage of the source itself.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.Disks[0].DiskDevice = kubevirtv1.DiskDevice{LUN: &kubevirtv1.LunTarget{}}
			},
			tells: "disk root is shared with others, or a LUN",
		},
		"Shareable": {
			reason: "Another guest writes the same disk.",
			vm: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.Devices.Disks[0].Shareable = ptr.To(true)
			},
			tells: "disk root is shared with others, or a LUN",
		},
		"TPMOfAPreference": {
			reason: "A preference gives a TPM to the instance alone, and its state would be lost without a word.",
			instance: func(i *kubevirtv1.VirtualMachineInstance) {
				i.Spec.Domain.Devices.TPM = &kubevirtv1.TPMDevice{Persistent: ptr.To(true)}
			},
			tells: "TPM",
		},
		"EFIOfAPreference": {
			reason: "A preference gives a firmware that keeps its variables to the instance alone.",
			instance: func(i *kubevirtv1.VirtualMachineInstance) {
				i.Spec.Domain.Firmware.Bootloader = &kubevirtv1.Bootloader{EFI: &kubevirtv1.EFI{Persistent: ptr.To(true)}}
			},
			tells: "EFI",
		},
		"GPUOfAnInstancetype": {
			reason: "An instance type gives a device to the instance alone.",
			instance: func(i *kubevirtv1.VirtualMachineInstance) {
				i.Spec.Domain.Devices.GPUs = []kubevirtv1.GPU{{Name: "gpu"}}
			},
			tells: "devices of its host",
		},
		"PluggedIntoTheInstance": {
			reason: "A disk that only the running guest has would be lost.",
			instance: func(i *kubevirtv1.VirtualMachineInstance) {
				i.Spec.Volumes = append(i.Spec.Volumes, kubevirtv1.Volume{Name: "usb"})
			},
			tells: "volume usb is plugged into the running guest alone",
		},
		"Migrating": {
			reason: "A guest on its way to another node is not stopped.",
			instance: func(i *kubevirtv1.VirtualMachineInstance) {
				i.Status.MigrationState = &kubevirtv1.VirtualMachineInstanceMigrationState{}
			},
			tells: "moves to another node",
		},
		"Migrated": {
			reason: "An earlier migration is over.",
			instance: func(i *kubevirtv1.VirtualMachineInstance) {
				i.Status.MigrationState = &kubevirtv1.VirtualMachineInstanceMigrationState{Completed: true}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			vm, instance := typical(), running()
			if tc.vm != nil {
				tc.vm(vm)
			}
			if tc.instance != nil {
				tc.instance(instance)
			}
			reason, message := refused(t, relocation.Movable(vm, instance))
			if want := vitistackv1alpha1.ReasonCannotMove; tc.tells != "" && reason != want {
				t.Errorf("%s\nreason: -want %q +got %q", tc.reason, want, reason)
			}
			if tc.tells == "" && message != "" || !strings.Contains(message, tc.tells) {
				t.Errorf("%s\nmessage: -want %q +got %q", tc.reason, tc.tells, message)
			}
			if tc.tells == "" {
				return
			}
			if vm, err := relocation.VirtualMachine(with(func(in *relocation.Input) {
				in.VM, in.Instance = vm, instance
			})); err == nil {
				t.Errorf("%s\nwhat cannot go is made: %+v", tc.reason, vm)
			}
		})
	}
}

// TestMovableWithoutAnInstance: a guest that is off has no instance to look at.
func TestMovableWithoutAnInstance(t *testing.T) {
	if err := relocation.Movable(typical(), nil); err != nil {
		t.Error(err)
	}
}
