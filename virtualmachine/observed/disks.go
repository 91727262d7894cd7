package observed

import (
	"cmp"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// disks are those of the virtual machine that hold data, in the order of its spec. A cloud-init
// disk and other disks of configuration are none: consumers install on the first that they find.
func disks(
	vm *kubevirtv1.VirtualMachine, spec kubevirtv1.VirtualMachineInstanceSpec, vmi *kubevirtv1.VirtualMachineInstance,
) []vitistackv1alpha1.MachineStatusDisk {
	var reported []kubevirtv1.VolumeStatus
	if alive(vmi) {
		reported = vmi.Status.VolumeStatus
	}
	var result []vitistackv1alpha1.MachineStatusDisk
	for _, volume := range spec.Volumes {
		if !holdsData(volume) || len(result) == maxDisks {
			continue
		}
		claim := claimName(volume)
		disk := vitistackv1alpha1.MachineStatusDisk{Name: name(volume.Name), PVCName: name(claim),
			Size: templateSize(vm, claim)}
		for _, d := range spec.Domain.Devices.Disks {
			if d.Name == volume.Name {
				disk.Type, disk.SerialNumber = word(busOf(d)), name(d.Serial)
			}
		}
		for _, r := range reported {
			if r.Name == volume.Name {
				addReported(&disk, r)
			}
		}
		result = append(result, disk)
	}
	return result
}

func holdsData(volume kubevirtv1.Volume) bool {
	return volume.DataVolume != nil || volume.PersistentVolumeClaim != nil || volume.ContainerDisk != nil ||
		volume.HostDisk != nil || volume.EmptyDisk != nil || volume.Ephemeral != nil
}

func claimName(volume kubevirtv1.Volume) string {
	switch {
	case volume.DataVolume != nil:
		return volume.DataVolume.Name
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	default:
		return ""
	}
}

// templateSize is what was asked for, in bytes.
func templateSize(vm *kubevirtv1.VirtualMachine, dataVolume string) int64 {
	for _, template := range vm.Spec.DataVolumeTemplates {
		if template.Name != dataVolume {
			continue
		}
		requests := templateRequests(template)
		return bytesOf(*requests.Storage())
	}
	return 0
}

// templateRequests is what the template of a DataVolume asks for.
func templateRequests(template kubevirtv1.DataVolumeTemplateSpec) corev1.ResourceList {
	switch {
	case template.Spec.Storage != nil:
		return template.Spec.Storage.Resources.Requests
	case template.Spec.PVC != nil:
		return template.Spec.PVC.Resources.Requests
	default:
		return nil
	}
}

func busOf(d kubevirtv1.Disk) string {
	switch {
	case d.Disk != nil:
		return string(d.Disk.Bus)
	case d.CDRom != nil:
		return string(d.CDRom.Bus)
	case d.LUN != nil:
		return string(d.LUN.Bus)
	default:
		return ""
	}
}

// maxAccessModes is how many access modes Kubernetes has.
const maxAccessModes = 4

// addReported adds what the instance says. A disk that it has not attached yet has no target, and
// so no device: "/dev/" would look like one.
func addReported(disk *vitistackv1alpha1.MachineStatusDisk, r kubevirtv1.VolumeStatus) {
	if r.Target != "" {
		disk.Device = "/dev/" + word(r.Target)
	}
	disk.Size = cmp.Or(r.Size, disk.Size)
	claim := r.PersistentVolumeClaimInfo
	if claim == nil {
		return
	}
	disk.PVCName = cmp.Or(name(claim.ClaimName), disk.PVCName)
	disk.VolumeMode = string(corev1.PersistentVolumeFilesystem)
	if claim.VolumeMode != nil {
		disk.VolumeMode = word(string(*claim.VolumeMode))
	}
	disk.AccessModes = nil
	for _, mode := range claim.AccessModes[:min(len(claim.AccessModes), maxAccessModes)] {
		disk.AccessModes = append(disk.AccessModes, word(string(mode)))
	}
	for _, list := range []corev1.ResourceList{claim.Requests, claim.Capacity} {
		if size, found := list[corev1.ResourceStorage]; found {
			disk.Size = bytesOf(size)
		}
	}
}

// bytesOf is a quantity in whole bytes, rounded up. One that does not fit is the largest that does:
// by itself it would wrap around.
func bytesOf(quantity resource.Quantity) int64 {
	if quantity.CmpInt64(math.MaxInt64) > 0 {
		return math.MaxInt64
	}
	return quantity.Value()
}
