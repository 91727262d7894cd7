package desired

import (
	"slices"

	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	architectureAMD64 = "amd64"
	architectureARM64 = "arm64"

	cpuModelHost        = "host-model"
	cpuModelPassthrough = "host-passthrough"

	instancetypeKind = "VirtualMachineClusterInstancetype"
	preferenceKind   = "VirtualMachineClusterPreference"
)

// instancetype is the name of the remote cluster's instance type that the Machine asks for, which
// gives processor and memory in place of a class; "" for none. What the Machine says itself about
// them would be refused by KubeVirt.
func instancetype(machine *vitistackv1alpha1.Machine) (string, error) {
	name := machine.Annotations[vitistackv1alpha1.AnnotationInstancetype]
	if spec := machine.Spec; name != "" && (spec.CPU != vitistackv1alpha1.MachineCPU{} || spec.Memory != 0) {
		return "", invalid("annotation %s gives processor and memory: leave cpu and memory out",
			vitistackv1alpha1.AnnotationInstancetype)
	}
	return name, nil
}

// evictionStrategy is the Machine's own, "" for the remote cluster's.
func evictionStrategy(machine *vitistackv1alpha1.Machine) (kubevirtv1.EvictionStrategy, error) {
	strategies := []kubevirtv1.EvictionStrategy{
		"", kubevirtv1.EvictionStrategyNone, kubevirtv1.EvictionStrategyLiveMigrate,
		kubevirtv1.EvictionStrategyLiveMigrateIfPossible, kubevirtv1.EvictionStrategyExternal,
	}
	strategy := kubevirtv1.EvictionStrategy(machine.Annotations[vitistackv1alpha1.AnnotationEvictionStrategy])
	if !slices.Contains(strategies, strategy) {
		return "", invalid("annotation %s is %q, and may be None, LiveMigrate, LiveMigrateIfPossible or External",
			vitistackv1alpha1.AnnotationEvictionStrategy, strategy)
	}
	return strategy, nil
}

// runStrategy is the Machine's, or Always: unset, a virtual machine is started once and then left
// to people.
func runStrategy(machine *vitistackv1alpha1.Machine) (kubevirtv1.VirtualMachineRunStrategy, error) {
	switch strategy := or(machine.Spec.RunStrategy, vitistackv1alpha1.RunStrategyAlways); strategy {
	case vitistackv1alpha1.RunStrategyAlways, vitistackv1alpha1.RunStrategyRerunOnFailure,
		vitistackv1alpha1.RunStrategyManual, vitistackv1alpha1.RunStrategyHalted, vitistackv1alpha1.RunStrategyOnce:
		return kubevirtv1.VirtualMachineRunStrategy(strategy), nil
	default:
		return "", invalid("runStrategy %q is unknown", strategy)
	}
}

// domain is the virtual hardware without disks and interfaces.
func (in Input) domain(size Size, architecture string) (kubevirtv1.DomainSpec, error) {
	efi := &kubevirtv1.EFI{SecureBoot: ptr.To(false)}
	domain := kubevirtv1.DomainSpec{Firmware: &kubevirtv1.Firmware{
		UUID:       FirmwareUUID(in.Machine.UID),
		Serial:     string(in.Machine.UID),
		Bootloader: &kubevirtv1.Bootloader{EFI: efi},
	}}
	switch secure := in.Machine.Annotations[vitistackv1alpha1.AnnotationSecureBoot]; {
	case secure == "true" && architecture == architectureARM64:
		return domain, invalid("annotation %s: there is no secure boot on %s", vitistackv1alpha1.AnnotationSecureBoot,
			architecture)
	case secure == "true": // which needs the system management mode
		efi.SecureBoot = ptr.To(true)
		domain.Features = &kubevirtv1.Features{SMM: &kubevirtv1.FeatureState{Enabled: ptr.To(true)}}
	case !slices.Contains([]string{"", "false"}, secure):
		return domain, invalid("annotation %s is %q, and may be true or false", vitistackv1alpha1.AnnotationSecureBoot,
			secure)
	}
	if in.Machine.Annotations[vitistackv1alpha1.AnnotationInstancetype] == "" {
		domain.CPU = &kubevirtv1.CPU{Cores: size.Cores, Sockets: size.Sockets, Threads: size.Threads,
			Model: in.cpuModel(architecture)}
		domain.Memory = &kubevirtv1.Memory{Guest: ptr.To(size.quantity())}
	}
	return domain, nil
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
