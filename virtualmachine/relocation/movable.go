package relocation

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Movable says what in a VirtualMachine cannot go to another cluster, as a [*desired.Refusal] of reason
// CannotMove. instance is its running instance, or nil.
func Movable(vm *kubevirtv1.VirtualMachine, instance *kubevirtv1.VirtualMachineInstance) error {
	cannot := func(format string, args ...any) error {
		return refuse(vitistackv1alpha1.ReasonCannotMove, format, args...)
	}
	switch {
	case vm.Spec.Template == nil:
		return cannot("VirtualMachine %s has no template", vm.Name)
	case !vm.DeletionTimestamp.IsZero():
		return cannot("VirtualMachine %s is being deleted", vm.Name)
	case vm.Status.SnapshotInProgress != nil || vm.Status.RestoreInProgress != nil:
		return cannot("a snapshot or restore of VirtualMachine %s is under way; wait for its end", vm.Name)
	case len(vm.Status.VolumeRequests) > 0:
		return cannot("a disk of VirtualMachine %s is being plugged in or out; wait for its end", vm.Name)
	case vm.Status.MemoryDumpRequest != nil:
		return cannot("VirtualMachine %s has a memory dump; take it off with virtctl memory-dump remove", vm.Name)
	}
	spec := vm.Spec.Template.Spec
	if why := boundBy(spec.Domain); why != "" {
		return cannot("%s", why)
	}
	if node := spec.NodeSelector[corev1.LabelHostname]; node != "" {
		return cannot("the guest is bound to the node %s", node)
	}
	for _, volume := range spec.Volumes {
		if why := staysBehind(volume); why != "" {
			return cannot("volume %s %s", volume.Name, why)
		}
	}
	for _, disk := range spec.Domain.Devices.Disks {
		if disk.LUN != nil || ptr.Deref(disk.Shareable, false) {
			return cannot("disk %s is shared with others, or a LUN", disk.Name)
		}
	}
	return plugged(vm, instance)
}

// plugged says what a running instance has that its VirtualMachine has not, and that would be lost: a
// disk, or a device or state that an instance type or a preference gave.
func plugged(vm *kubevirtv1.VirtualMachine, instance *kubevirtv1.VirtualMachineInstance) error {
	if instance == nil {
		return nil
	}
	if why := boundBy(instance.Spec.Domain); why != "" { // by its instance type or preference
		return refuse(vitistackv1alpha1.ReasonCannotMove, "%s", why)
	}
	if instance.Status.MigrationState != nil && !instance.Status.MigrationState.Completed {
		return refuse(vitistackv1alpha1.ReasonCannotMove, "the guest moves to another node of its cluster; wait for its end")
	}
	for _, volume := range instance.Spec.Volumes {
		isIn := func(v kubevirtv1.Volume) bool { return v.Name == volume.Name }
		if !slices.ContainsFunc(vm.Spec.Template.Spec.Volumes, isIn) {
			return refuse(vitistackv1alpha1.ReasonCannotMove, "volume %s is plugged into the running guest alone; "+
				"take it out, or keep it with virtctl addvolume --persist", volume.Name)
		}
	}
	return nil
}

// boundBy says what of a guest's hardware binds it to where it is, "" where nothing does.
func boundBy(domain kubevirtv1.DomainSpec) string {
	devices := domain.Devices
	switch {
	case len(devices.GPUs) > 0 || len(devices.HostDevices) > 0:
		return "the guest has devices of its host"
	case devices.TPM != nil && ptr.Deref(devices.TPM.Persistent, false):
		return "the guest's TPM keeps a state, which no export has"
	case keepsEFI(domain.Firmware):
		return "the guest's firmware keeps a state (EFI, persistent), which no export has"
	default:
		return ""
	}
}

func keepsEFI(firmware *kubevirtv1.Firmware) bool {
	return firmware != nil && firmware.Bootloader != nil && firmware.Bootloader.EFI != nil &&
		ptr.Deref(firmware.Bootloader.EFI.Persistent, false)
}

// staysBehind says why a volume cannot go to another cluster, "" where it can.
func staysBehind(volume kubevirtv1.Volume) string {
	switch {
	case volume.HostDisk != nil:
		return "is a file of its node"
	case volume.Ephemeral != nil:
		return "is laid over a disk of somebody else's"
	case volume.MemoryDump != nil:
		return "is a memory dump; take it off with virtctl memory-dump remove"
	case volume.ContainerPath != nil:
		return "is a path of its Pod"
	case volume.DataVolume != nil && volume.DataVolume.Hotpluggable,
		volume.PersistentVolumeClaim != nil && volume.PersistentVolumeClaim.Hotpluggable:
		return "is plugged in; take it out with virtctl removevolume"
	default:
		return ""
	}
}
