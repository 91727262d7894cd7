package relocation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Input is what a VirtualMachine in another cluster is made from.
type Input struct {
	// VM is the source, as its API server has it.
	VM *kubevirtv1.VirtualMachine
	// Instance is the source's running instance, nil where none was seen. What KubeVirt gave to it alone
	// comes from there.
	Instance *kubevirtv1.VirtualMachineInstance
	// Claims are the PersistentVolumeClaims of the source's disks, by name.
	Claims map[string]corev1.PersistentVolumeClaim
	// StorageClasses are those of the target cluster.
	StorageClasses desired.StorageClasses
	// Labels are the Machine's.
	Labels map[string]string
	// Move, Nonce and Fence are those of the move: see [vitistackv1alpha1.AnnotationMoveFence].
	Move, Nonce, Fence string
	// URLs are where the disks are fetched, by the name of the claim. CA is the ConfigMap that has the
	// authority, Header the Secret that has the token, both beside the VirtualMachine.
	URLs       map[string]string
	CA, Header string
}

// Disk is a disk that goes along: the volume, and the claim behind it in both clusters.
type Disk struct {
	Volume, Claim string
	// Bytes is the size of the claim.
	Bytes int64
}

// bindNow makes CDI fill a disk of a storage class that waits for its first consumer: the
// VirtualMachine is not started before its disks are there.
const bindNow = "cdi.kubevirt.io/storage.bind.immediate.requested"

// VirtualMachine returns the VirtualMachine at the target: the same guest, off, whose disks are fetched
// from the source. Firmware, addresses, names and sizes are the source's, and so is what people
// changed in it.
func VirtualMachine(in Input) (*kubevirtv1.VirtualMachine, error) {
	if err := Movable(in.VM, in.Instance); err != nil {
		return nil, err
	}
	disks, err := Disks(in.VM, in.Claims)
	if err != nil {
		return nil, err
	}
	vm := &kubevirtv1.VirtualMachine{
		TypeMeta: metav1.TypeMeta{APIVersion: kubevirtv1.GroupVersion.String(), Kind: "VirtualMachine"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: in.VM.Namespace, Name: in.VM.Name,
			Labels: merge(in.VM.Labels, in.Labels), Annotations: maps.Clone(in.VM.Annotations),
		},
		Spec: *in.VM.Spec.DeepCopy(),
	}
	if vm.Annotations == nil {
		vm.Annotations = map[string]string{}
	}
	for _, observed := range []string{
		"kubevirt.io/latest-observed-api-version", "kubevirt.io/storage-observed-api-version",
		corev1.LastAppliedConfigAnnotation,
	} {
		delete(vm.Annotations, observed)
	}
	vm.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] = in.Nonce
	vm.Annotations[vitistackv1alpha1.AnnotationMovedBy] = in.Move
	vm.Annotations[vitistackv1alpha1.AnnotationMoveFence] = in.Fence
	vm.Spec.Running, vm.Spec.RunStrategy = nil, ptr.To(kubevirtv1.RunStrategyHalted)
	if vm.Spec.Instancetype != nil { // a revision is an object of the source cluster
		vm.Spec.Instancetype.RevisionName = ""
	}
	if vm.Spec.Preference != nil {
		vm.Spec.Preference.RevisionName = ""
	}
	vm.Spec.Template.ObjectMeta.Labels = merge(vm.Spec.Template.ObjectMeta.Labels, in.Labels)
	in.keepIdentity(vm.Spec.Template)
	vm.Spec.DataVolumeTemplates = nil
	for _, d := range disks {
		template, err := in.template(d)
		if err != nil {
			return nil, err
		}
		vm.Spec.DataVolumeTemplates = append(vm.Spec.DataVolumeTemplates, template)
	}
	for i := range vm.Spec.Template.Spec.Volumes {
		if claim := vm.Spec.Template.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			source := kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: claim.ClaimName}}
			vm.Spec.Template.Spec.Volumes[i].VolumeSource = source
		}
	}
	return vm, nil
}

// keepIdentity writes down what KubeVirt gave to the instance alone, so that the guest keeps it.
func (in Input) keepIdentity(template *kubevirtv1.VirtualMachineInstanceTemplateSpec) {
	if in.Instance == nil {
		return
	}
	domain, was := &template.Spec.Domain, in.Instance.Spec.Domain
	if was.Firmware != nil {
		if domain.Firmware == nil {
			domain.Firmware = &kubevirtv1.Firmware{}
		}
		domain.Firmware.UUID = cmp.Or(domain.Firmware.UUID, was.Firmware.UUID)
		domain.Firmware.Serial = cmp.Or(domain.Firmware.Serial, was.Firmware.Serial)
	}
	for i := range domain.Devices.Interfaces {
		nic := &domain.Devices.Interfaces[i]
		nic.MacAddress = cmp.Or(nic.MacAddress, GivenMAC(in.Instance, nic.Name))
	}
}

// GivenMAC is the address that an interface of a running instance has, "" where it is not known.
func GivenMAC(instance *kubevirtv1.VirtualMachineInstance, name string) string {
	if instance == nil {
		return ""
	}
	for _, nic := range instance.Spec.Domain.Devices.Interfaces {
		if nic.Name == name && nic.MacAddress != "" {
			return nic.MacAddress
		}
	}
	for _, nic := range instance.Status.Interfaces {
		if nic.Name == name {
			return nic.MAC
		}
	}
	return ""
}

// template is the DataVolume of a disk at the target. What the source's own template says of
// storage is kept; a class that the target does not have is left to the target's default where
// nobody asked for it.
func (in Input) template(d Disk) (kubevirtv1.DataVolumeTemplateSpec, error) {
	url := in.URLs[d.Claim]
	if url == "" {
		return kubevirtv1.DataVolumeTemplateSpec{}, refuse(vitistackv1alpha1.ReasonExportUnavailable,
			"the export has no link for disk %s (%s)", d.Volume, d.Claim)
	}
	template := kubevirtv1.DataVolumeTemplateSpec{ObjectMeta: metav1.ObjectMeta{
		Name: d.Claim, Labels: in.Labels, Annotations: map[string]string{bindNow: "true"},
	}}
	storage := &cdiv1beta1.StorageSpec{}
	class := in.Claims[d.Claim].Spec.StorageClassName
	if was := in.storageOf(d.Claim); was != nil {
		storage.StorageClassName = was.StorageClassName
		storage.AccessModes, storage.VolumeMode = was.AccessModes, was.VolumeMode
	} else if class != nil && slices.Contains(in.StorageClasses.Names, *class) {
		storage.StorageClassName = class
	}
	size := *resource.NewQuantity(d.Bytes, resource.BinarySI)
	storage.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: size}
	template.Spec = cdiv1beta1.DataVolumeSpec{
		Storage: storage,
		Source: &cdiv1beta1.DataVolumeSource{HTTP: &cdiv1beta1.DataVolumeSourceHTTP{
			URL: url, CertConfigMap: in.CA, SecretExtraHeaders: []string{in.Header},
		}},
	}
	return template, nil
}

// storageOf is what the source's template asks for, nil where the disk has none.
func (in Input) storageOf(claim string) *cdiv1beta1.StorageSpec {
	for _, template := range in.VM.Spec.DataVolumeTemplates {
		switch spec := template.Spec; {
		case template.Name != claim:
		case spec.Storage != nil:
			return spec.Storage
		case spec.PVC != nil:
			return &cdiv1beta1.StorageSpec{StorageClassName: spec.PVC.StorageClassName,
				AccessModes: spec.PVC.AccessModes, VolumeMode: spec.PVC.VolumeMode}
		}
	}
	return nil
}

// SizeOf is what a claim has, else what it asks for, in bytes.
func SizeOf(claim corev1.PersistentVolumeClaim) (bytes int64) {
	if size := claim.Status.Capacity.Storage(); !size.IsZero() {
		return size.Value()
	}
	return claim.Spec.Resources.Requests.Storage().Value()
}

// Disks are the disks that go along, in the order of the volumes. A disk whose claim is not
// among claims is a [*desired.Refusal].
func Disks(
	vm *kubevirtv1.VirtualMachine, claims map[string]corev1.PersistentVolumeClaim,
) ([]Disk, error) {
	var disks []Disk
	if vm.Spec.Template == nil {
		return nil, nil
	}
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		name := desired.ClaimName(vm, volume.Name)
		if name == "" {
			continue
		}
		claim, found := claims[name]
		if !found {
			return nil, refuse(vitistackv1alpha1.ReasonCannotMove, "the PersistentVolumeClaim %s of disk %s does not exist",
				name, volume.Name)
		}
		if slices.ContainsFunc(disks, func(d Disk) bool { return d.Claim == name }) {
			return nil, refuse(vitistackv1alpha1.ReasonCannotMove, "two volumes share the PersistentVolumeClaim %s", name)
		}
		disks = append(disks, Disk{Volume: volume.Name, Claim: name, Bytes: SizeOf(claim)})
	}
	return disks, nil
}

func merge(to, from map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, to)
	maps.Copy(all, from)
	return all
}

func refuse(reason, format string, args ...any) error {
	return &desired.Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
