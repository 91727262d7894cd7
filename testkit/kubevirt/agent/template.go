package agent

import (
	"maps"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// volumeIndex finds VirtualMachines by the DataVolumes that they name.
const volumeIndex = "volume"

// instanceFor is the instance that virt-controller makes for a VirtualMachine, with what virt-api
// would fill in.
func instanceFor(vm *kubevirtv1.VirtualMachine) *kubevirtv1.VirtualMachineInstance {
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if template := vm.Spec.Template; template != nil {
		vmi.ObjectMeta = *template.ObjectMeta.DeepCopy()
		vmi.Spec = *template.Spec.DeepCopy()
	}
	vmi.Name, vmi.Namespace, vmi.GenerateName = vm.Name, vm.Namespace, ""
	vmi.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(vm, kubevirtv1.VirtualMachineGroupVersionKind)}
	vmi.Finalizers = []string{kubevirtv1.VirtualMachineControllerFinalizer, kubevirtv1.VirtualMachineInstanceFinalizer}
	metav1.SetMetaDataAnnotation(&vmi.ObjectMeta, generationAnnotation, strconv.FormatInt(vm.Generation, 10))
	fillIn(&vmi.Spec, vm)
	setPhase(&vmi.Status, kubevirtv1.Pending)
	return vmi
}

// fillIn sets what a spec leaves open.
func fillIn(spec *kubevirtv1.VirtualMachineInstanceSpec, vm *kubevirtv1.VirtualMachine) {
	if spec.Architecture == "" {
		spec.Architecture = "amd64"
	}
	if spec.Domain.Machine == nil || spec.Domain.Machine.Type == "" {
		spec.Domain.Machine = &kubevirtv1.Machine{Type: "q35"}
	}
	if spec.Domain.Firmware == nil {
		spec.Domain.Firmware = &kubevirtv1.Firmware{}
	}
	if spec.Domain.Firmware.UUID == "" {
		spec.Domain.Firmware.UUID = vm.UID
	}
	attach := spec.Domain.Devices.AutoattachPodInterface
	if len(spec.Networks) == 0 && len(spec.Domain.Devices.Interfaces) == 0 && (attach == nil || *attach) {
		spec.Networks = []kubevirtv1.Network{*kubevirtv1.DefaultPodNetwork()}
		spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{*kubevirtv1.DefaultBridgeNetworkInterface()}
	}
	addDisks(spec)
}

// addDisks adds a disk for each volume that has none.
func addDisks(spec *kubevirtv1.VirtualMachineInstanceSpec) {
	known := map[string]bool{}
	for _, disk := range spec.Domain.Devices.Disks {
		known[disk.Name] = true
	}
	for _, filesystem := range spec.Domain.Devices.Filesystems {
		known[filesystem.Name] = true
	}
	for _, volume := range spec.Volumes {
		if !known[volume.Name] {
			spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, kubevirtv1.Disk{Name: volume.Name})
		}
	}
	for i := range spec.Domain.Devices.Disks {
		if disk := &spec.Domain.Devices.Disks[i]; disk.Disk == nil && disk.CDRom == nil && disk.LUN == nil {
			disk.Disk = &kubevirtv1.DiskTarget{Bus: kubevirtv1.DiskBusSATA}
		}
	}
}

// volumeOf is the DataVolume that virt-controller makes of a template.
func volumeOf(vm *kubevirtv1.VirtualMachine, template kubevirtv1.DataVolumeTemplateSpec) *cdiv1.DataVolume {
	volume := &cdiv1.DataVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        template.Name,
			Namespace:   vm.Namespace,
			Labels:      map[string]string{kubevirtv1.CreatedByLabel: string(vm.UID)},
			Annotations: maps.Clone(template.Annotations),
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(vm, kubevirtv1.VirtualMachineGroupVersionKind),
			},
		},
		Spec: *template.Spec.DeepCopy(),
	}
	maps.Copy(volume.Labels, template.Labels)
	return volume
}

// volumesNamed are the DataVolumes of a VirtualMachine's templates and volumes.
func volumesNamed(object client.Object) []string {
	vm, ok := object.(*kubevirtv1.VirtualMachine)
	if !ok {
		return nil
	}
	var names []string
	for _, template := range vm.Spec.DataVolumeTemplates {
		names = append(names, template.Name)
	}
	if vm.Spec.Template == nil {
		return names
	}
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		if volume.DataVolume != nil && !slices.Contains(names, volume.DataVolume.Name) {
			names = append(names, volume.DataVolume.Name)
		}
	}
	return names
}
