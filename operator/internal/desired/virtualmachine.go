package desired

import (
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

const (
	architectureAMD64 = "amd64"
	architectureARM64 = "arm64"

	cpuModelHost        = "host-model"
	cpuModelPassthrough = "host-passthrough"
)

// Input is what a VirtualMachine depends on.
type Input struct {
	// Machine that it is for. Its UID must be set.
	Machine *vitistackv1alpha1.Machine
	// Ledger says where it is placed and what the VirtualMachine is called.
	Ledger vitistackv1alpha1.Ledger
	// Class is the MachineClass of the name that [ClassName] gives, nil where there is none.
	Class *vitistackv1alpha1.MachineClass
	// Network of the Machine.
	Network Network
	// NetworkConfiguration gives the MAC address of the interface; nil derives it.
	NetworkConfiguration *vitistackv1alpha1.NetworkConfiguration
	// CloudInit of [NewCloudInit], nil for none.
	CloudInit *CloudInit
	// Options of the operator.
	Options Options
}

var errNoLedger = errors.New("the Machine is not placed: its ledger names no VirtualMachine")

// VirtualMachine is the VirtualMachine of a Machine as it is created. It has the fields that we own and no other, so that it can be
// applied too; which of them are changed later, and which are left to people, is the caller's part. It has no owner reference (the
// Machine lives in another cluster) and no eviction strategy (the remote cluster has one).
//
// A [*Refusal] says what in the Machine or its class cannot be.
func VirtualMachine(in Input) (*kubevirtv1.VirtualMachine, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	size, err := SizeFor(in.Machine, in.Class, in.Options)
	if err != nil {
		return nil, err
	}
	strategy, err := runStrategy(in.Machine)
	if err != nil {
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
		return refuse(vitistackv1alpha1.ReasonNameTooLong, "the VirtualMachine cannot be called %q: %s", in.Ledger.VMName, strings.Join(problems, "; "))
	}
	return nil
}

// runStrategy is the Machine's, or Always: unset, a virtual machine is started once and then left to people.
func runStrategy(machine *vitistackv1alpha1.Machine) (kubevirtv1.VirtualMachineRunStrategy, error) {
	switch strategy := or(machine.Spec.RunStrategy, vitistackv1alpha1.RunStrategyAlways); strategy {
	case vitistackv1alpha1.RunStrategyAlways, vitistackv1alpha1.RunStrategyRerunOnFailure, vitistackv1alpha1.RunStrategyManual, vitistackv1alpha1.RunStrategyHalted, vitistackv1alpha1.RunStrategyOnce:
		return kubevirtv1.VirtualMachineRunStrategy(strategy), nil
	default:
		return "", invalid("runStrategy %q is unknown", strategy)
	}
}

// template is the virtual machine without its disks.
func (in Input) template(size Size) (*kubevirtv1.VirtualMachineInstanceSpec, error) {
	architecture, err := in.architecture()
	if err != nil {
		return nil, err
	}
	nic, err := in.nic()
	if err != nil {
		return nil, err
	}
	return &kubevirtv1.VirtualMachineInstanceSpec{
		Architecture: architecture,
		Networks:     []kubevirtv1.Network{in.network()},
		Domain: kubevirtv1.DomainSpec{
			CPU: &kubevirtv1.CPU{
				Cores: size.Cores, Sockets: size.Sockets, Threads: size.Threads, Model: in.cpuModel(architecture),
			},
			Memory: &kubevirtv1.Memory{Guest: ptr.To(size.quantity())},
			Firmware: &kubevirtv1.Firmware{
				UUID:       FirmwareUUID(in.Machine.UID),
				Serial:     string(in.Machine.UID),
				Bootloader: &kubevirtv1.Bootloader{EFI: &kubevirtv1.EFI{SecureBoot: ptr.To(false)}},
			},
			Devices: kubevirtv1.Devices{
				Interfaces:                 []kubevirtv1.Interface{nic},
				NetworkInterfaceMultiQueue: ptr.To(true),
				AutoattachPodInterface:     ptr.To(in.Network.VLAN == 0),
			},
		},
	}, nil
}

func (in Input) architecture() (string, error) {
	switch architecture := in.Machine.Spec.OS.Architecture; architecture {
	case "", architectureARM64, architectureAMD64:
		return architecture, nil
	case "x86_64":
		return architectureAMD64, nil
	default:
		return "", invalid("os.architecture %q is unknown", architecture)
	}
}

// cpuModel: KubeVirt refuses host-model on arm64.
func (in Input) cpuModel(architecture string) string {
	if architecture == architectureARM64 {
		return or(in.Options.CPUModel, cpuModelPassthrough)
	}
	return or(in.Options.CPUModel, cpuModelHost)
}

func (in Input) network() kubevirtv1.Network {
	network := kubevirtv1.Network{Name: in.Network.Interface()}
	if nad := in.Network.NetworkAttachmentDefinition(); nad != "" {
		network.Multus = &kubevirtv1.MultusNetwork{NetworkName: nad}
	} else {
		network.Pod = &kubevirtv1.PodNetwork{}
	}
	return network
}

// nic is the one interface. On the pod network it is masqueraded: a bridge there stops live migration and may be switched off.
func (in Input) nic() (kubevirtv1.Interface, error) {
	name := in.Network.Interface()
	mac, found := macOf(name, configured(in.NetworkConfiguration))
	if !found {
		derived, err := MAC(in.Machine.UID, name, in.Options.MACSet)
		if err != nil {
			return kubevirtv1.Interface{}, err
		}
		mac = derived
	}
	nic := kubevirtv1.Interface{Name: name, Model: kubevirtv1.VirtIO, MacAddress: mac}
	if in.Network.VLAN == 0 {
		nic.Masquerade = &kubevirtv1.InterfaceMasquerade{}
	} else {
		nic.Bridge = &kubevirtv1.InterfaceBridge{}
	}
	if in.Machine.Spec.OS.ImageID == "" {
		nic.BootOrder = ptr.To[uint](bootFromNetwork)
	}
	return nic, nil
}

func (in Input) addDisks(spec *kubevirtv1.VirtualMachineSpec) error {
	image, err := imageSource(in.Machine)
	if err != nil {
		return err
	}
	disks, err := disksFor(in.Machine, image != nil)
	if err != nil {
		return err
	}
	template := &spec.Template.Spec
	for _, d := range disks {
		name := DataVolumeName(in.Ledger.VMName, d.name, in.Machine.UID)
		spec.DataVolumeTemplates = append(spec.DataVolumeTemplates,
			dataVolumeTemplate(d, name, image, Labels(in.Machine, in.Options), in.Options))
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
