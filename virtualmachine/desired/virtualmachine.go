package desired

import (
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Input is what a VirtualMachine depends on.
type Input struct {
	// Machine that it is for. Its UID must be set.
	Machine *vitistackv1alpha1.Machine
	// Ledger says where it is placed and what the VirtualMachine is called.
	Ledger vitistackv1alpha1.Ledger
	// Class is the MachineClass as for [SizeFor].
	Class *vitistackv1alpha1.MachineClass
	// Last is the wish last applied to the VirtualMachine, nil where there is none yet. It keeps
	// the size that a class gave: see [KeptSize].
	Last *Wish
	// Network is the record of the Machine's attachments, of [Attach]. Networks and interfaces come
	// from it alone.
	Network vitistackv1alpha1.NetworkRecord
	// StorageClasses are those of the remote cluster, which the type of a disk may name.
	StorageClasses StorageClasses
	// CloudInit of [NewCloudInit], nil for none.
	CloudInit *CloudInit
	// Options of the operator.
	Options Options
}

var errNoLedger = errors.New("the Machine is not placed: its ledger names no VirtualMachine")

// VirtualMachine returns the VirtualMachine of a Machine as it is created. It has the fields that
// we own and no other. [Change] says which of them are changed later. It has no owner reference,
// because the Machine lives in another cluster.
//
// A [*Refusal] says what in the Machine or its class cannot be.
func VirtualMachine(in Input) (*kubevirtv1.VirtualMachine, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	size, err := in.size()
	if err != nil {
		return nil, err
	}
	strategy, err := runStrategy(in.Machine)
	if err != nil {
		return nil, err
	}
	if _, err := instancetype(in.Machine); err != nil {
		return nil, err
	}
	spec, err := in.template(size)
	if err != nil {
		return nil, err
	}
	vm := &kubevirtv1.VirtualMachine{
		TypeMeta: metav1.TypeMeta{APIVersion: kubevirtv1.GroupVersion.String(), Kind: "VirtualMachine"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace:   in.Ledger.Namespace,
			Name:        in.Ledger.VMName,
			Labels:      Labels(in.Machine, in.Options),
			Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacementNonce: in.Ledger.Nonce},
		},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy: ptr.To(strategy),
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: Labels(in.Machine, in.Options)},
				Spec:       *spec,
			},
		},
	}
	if name := in.Machine.Annotations[vitistackv1alpha1.AnnotationInstancetype]; name != "" {
		vm.Spec.Instancetype = &kubevirtv1.InstancetypeMatcher{Kind: instancetypeKind, Name: name}
	}
	if name := in.Machine.Annotations[vitistackv1alpha1.AnnotationPreference]; name != "" {
		vm.Spec.Preference = &kubevirtv1.PreferenceMatcher{Kind: preferenceKind, Name: name}
	}
	if err := in.addDisks(&vm.Spec); err != nil {
		return nil, err
	}
	in.addCloudInit(&vm.Spec.Template.Spec)
	return vm, nil
}

func (in Input) check() error {
	if in.Machine.UID == "" {
		return errNoUID
	}
	if in.Ledger.VMName == "" || in.Ledger.Namespace == "" {
		return errNoLedger
	}
	if problems := validation.IsDNS1123Label(in.Ledger.VMName); len(problems) > 0 {
		return refuse(vitistackv1alpha1.ReasonNameTooLong,
			"the VirtualMachine cannot be called %q: %s", in.Ledger.VMName, strings.Join(problems, "; "))
	}
	return nil
}

// template is the virtual machine without its disks.
func (in Input) template(size Size) (*kubevirtv1.VirtualMachineInstanceSpec, error) {
	architecture, err := in.architecture()
	if err != nil {
		return nil, err
	}
	domain, err := in.domain(size, architecture)
	if err != nil {
		return nil, err
	}
	spec := &kubevirtv1.VirtualMachineInstanceSpec{Architecture: architecture, Domain: domain}
	if strategy, err := evictionStrategy(in.Machine); err != nil {
		return nil, err
	} else if strategy != "" {
		spec.EvictionStrategy = ptr.To(strategy)
	}
	devices := &spec.Domain.Devices
	devices.NetworkInterfaceMultiQueue = ptr.To(true)
	onPod := false
	for i, a := range in.Network.Attachments {
		nic := nicOf(a)
		if i == 0 && !hasImage(in.Machine) {
			nic.BootOrder = ptr.To[uint](bootFromInstaller)
		}
		devices.Interfaces = append(devices.Interfaces, nic)
		spec.Networks = append(spec.Networks, networkFor(a))
		onPod = onPod || a.NetworkAttachmentDefinition == ""
	}
	devices.AutoattachPodInterface = ptr.To(onPod)
	return spec, nil
}

func networkFor(a vitistackv1alpha1.Attachment) kubevirtv1.Network {
	network := kubevirtv1.Network{Name: a.Interface}
	if a.NetworkAttachmentDefinition != "" {
		network.Multus = &kubevirtv1.MultusNetwork{NetworkName: a.NetworkAttachmentDefinition}
	} else {
		network.Pod = &kubevirtv1.PodNetwork{}
	}
	return network
}

// nicOf returns the interface of an attachment. On the pod network it is masqueraded: a bridge
// there stops live migration and may be switched off.
func nicOf(a vitistackv1alpha1.Attachment) kubevirtv1.Interface {
	nic := kubevirtv1.Interface{Name: a.Interface, Model: kubevirtv1.VirtIO, MacAddress: a.MAC}
	if a.NetworkAttachmentDefinition == "" {
		nic.Masquerade = &kubevirtv1.InterfaceMasquerade{}
	} else {
		nic.Bridge = &kubevirtv1.InterfaceBridge{}
	}
	return nic
}

func (in Input) addDisks(spec *kubevirtv1.VirtualMachineSpec) error {
	disks, err := disksFor(in.Machine, in.StorageClasses)
	if err != nil {
		return err
	}
	template := &spec.Template.Spec
	for _, d := range disks {
		name := DataVolumeName(in.Ledger.VMName, d.name, in.Machine.UID)
		spec.DataVolumeTemplates = append(spec.DataVolumeTemplates,
			dataVolumeTemplate(d, name, in.Ledger.Namespace, Labels(in.Machine, in.Options), in.Options))
		template.Domain.Devices.Disks = append(template.Domain.Devices.Disks, d.device())
		template.Volumes = append(template.Volumes, kubevirtv1.Volume{
			Name:         d.name,
			VolumeSource: kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: name}},
		})
	}
	return nil
}

func (in Input) addCloudInit(spec *kubevirtv1.VirtualMachineInstanceSpec) {
	if in.CloudInit == nil {
		return
	}
	spec.Volumes = append(spec.Volumes, in.CloudInit.volume())
	spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, kubevirtv1.Disk{
		Name:       cloudInitDiskName,
		DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: kubevirtv1.DiskBusVirtio}},
	})
}
