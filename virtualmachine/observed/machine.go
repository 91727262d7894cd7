package observed

import (
	"cmp"
	"math"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// setVM writes what is known about the virtual machine, and clears what is over. Where nobody
// looked, everything stays.
func (r *report) setVM(status *vitistackv1alpha1.MachineStatus) {
	if !r.Looked {
		return
	}
	if r.vm == nil {
		status.State, status.MachineID, status.CreationTime = "", r.remembered(), nil
		status.CPUs, status.Memory, status.Architecture, status.Disks = 0, 0, "", nil
		clearGuest(status)
		return
	}
	status.State = word(string(printableStatus(r.vm, r.vmi)))
	status.MachineID = word(string(r.vm.UID))
	status.CreationTime = timeOrNil(r.vm.CreationTimestamp)
	spec := instanceSpec(r.vm, r.vmi)
	setSize(status, spec, r.vmi)
	status.Disks = disks(r.vm, spec, r.vmi)
	switch {
	case alive(r.vmi):
		r.setGuest(status, spec)
	case r.vmi == nil && r.verdict.phase == vitistackv1alpha1.MachinePhaseRunning, r.verdict.phase == "":
		// The instance was not seen yet, or nobody can tell: what was known is the best there is.
	default:
		clearGuest(status)
		status.NetworkInterfaces = interfaces(spec, nil)
	}
}

// remembered is the UID of the virtual machine that the ledger names, while it is gone. The status
// is the witness that tells a ledger from a forged one, so that it does not forget what the ledger
// names.
func (r *report) remembered() string {
	if r.trusted && r.Ledger.VMUID == r.Machine.Status.MachineID {
		return r.Ledger.VMUID
	}
	return ""
}

// alive says whether an instance has a guest. One that KubeVirt lost sight of may have.
func alive(vmi *kubevirtv1.VirtualMachineInstance) bool {
	return vmi != nil && (vmi.Status.Phase == kubevirtv1.Running || vmi.Status.Phase == kubevirtv1.Unknown)
}

// instanceSpec is that of the instance, else what it is going to be.
func instanceSpec(
	vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance,
) kubevirtv1.VirtualMachineInstanceSpec {
	switch {
	case alive(vmi):
		return vmi.Spec
	case vm.Spec.Template != nil:
		return vm.Spec.Template.Spec
	default:
		return kubevirtv1.VirtualMachineInstanceSpec{}
	}
}

func setSize(
	status *vitistackv1alpha1.MachineStatus, spec kubevirtv1.VirtualMachineInstanceSpec,
	vmi *kubevirtv1.VirtualMachineInstance,
) {
	status.Architecture = word(spec.Architecture)
	status.CPUs, status.Memory = 0, 0
	if cpu := spec.Domain.CPU; cpu != nil {
		status.CPUs = product(cpu.Cores, cpu.Sockets, cpu.Threads)
	}
	if memory := spec.Domain.Memory; memory != nil && memory.Guest != nil {
		status.Memory = bytesOf(*memory.Guest)
	}
	if !alive(vmi) {
		return
	}
	if cpu := vmi.Status.CurrentCPUTopology; cpu != nil {
		status.CPUs = product(cpu.Cores, cpu.Sockets, cpu.Threads)
	}
	if memory := vmi.Status.Memory; memory != nil && memory.GuestCurrent != nil {
		status.Memory = bytesOf(*memory.GuestCurrent)
	}
}

// product is the number of processors. KubeVirt reads 0 as 1. A number that nobody has is the
// largest.
func product(numbers ...uint32) int {
	total := 1
	for _, n := range numbers {
		if int(max(n, 1)) > math.MaxInt32/total {
			return math.MaxInt32
		}
		total *= int(max(n, 1))
	}
	return total
}

// setGuest writes what is known while the guest runs.
func (r *report) setGuest(status *vitistackv1alpha1.MachineStatus, spec kubevirtv1.VirtualMachineInstanceSpec) {
	status.NodeName = name(r.vmi.Status.NodeName)
	status.Hostname = name(hostname(r.vmi))
	guest := r.vmi.Status.GuestOSInfo
	status.OperatingSystem = word(guest.Name)
	status.OperatingSystemVersion = word(cmp.Or(guest.VersionID, guest.Version))
	status.KernelVersion = word(guest.KernelRelease)
	status.BootTime = bootTime(r.vmi)
	status.NetworkInterfaces = interfaces(spec, r.vmi)
	r.setAddresses(status)
}

// clearGuest forgets what was true only while the guest ran.
func clearGuest(status *vitistackv1alpha1.MachineStatus) {
	status.NodeName, status.Hostname, status.BootTime = "", "", nil
	status.OperatingSystem, status.OperatingSystemVersion, status.KernelVersion = "", "", ""
	status.IPAddresses, status.IPv6Addresses = nil, nil
	status.PublicIPAddresses, status.PrivateIPAddresses = nil, nil
	status.NetworkInterfaces = nil
}

// hostname is the one that KubeVirt gives to the guest.
func hostname(vmi *kubevirtv1.VirtualMachineInstance) string {
	if vmi.Spec.Hostname != "" {
		return vmi.Spec.Hostname
	}
	name, _, _ := strings.Cut(vmi.Name, ".")
	return name
}

// bootTime is when the instance last began to run.
func bootTime(vmi *kubevirtv1.VirtualMachineInstance) *metav1.Time {
	var last metav1.Time
	for _, transition := range vmi.Status.PhaseTransitionTimestamps {
		if transition.Phase == kubevirtv1.Running && last.Before(&transition.PhaseTransitionTimestamp) {
			last = transition.PhaseTransitionTimestamp
		}
	}
	return timeOrNil(last)
}

func timeOrNil(t metav1.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	return t.DeepCopy()
}
