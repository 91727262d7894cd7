package observed_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

var (
	now    = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before = now.Add(-time.Hour)
)

// input is that of a Machine whose reconcile went through, before anything is known of its
// VirtualMachine.
func input(change ...func(*observed.Input)) observed.Input {
	in := observed.Input{
		Machine: &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Name: "m", Namespace: "team-a", UID: "machine-uid",
			Generation: 3}},
		Ledger: &vitistackv1alpha1.Ledger{
			Config: "cluster-east", ClusterUID: "cluster-uid", Namespace: "team-a", VMName: "vm-m", Nonce: "n", VMUID: "vm-uid",
		},
		Applied: true,
		Reached: observed.StepObserve,
		Looked:  true,
		Network: observed.Network{
			Record: vitistackv1alpha1.NetworkRecord{Attachments: []vitistackv1alpha1.Attachment{{
				Interface: "vlan10", NetworkNamespace: "lan", VLAN: 10, NetworkAttachmentDefinition: "vlan10",
				MAC: "02:00:00:00:00:01", NetworkConfiguration: "m",
			}}},
		},
		Now: now,
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

func with(vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance) func(*observed.Input) {
	return func(in *observed.Input) { in.VM, in.VMI = vm, vmi }
}

// unplaced is a Machine that no cluster was chosen for.
func unplaced(problems ...observed.Problem) func(*observed.Input) {
	return func(in *observed.Input) {
		in.Ledger, in.Applied, in.Looked, in.Reached, in.Problems = nil, false, false, observed.StepPlace, problems
	}
}

// stoppedAt is a reconcile that a step ended before anybody looked at the VirtualMachine.
func stoppedAt(step observed.Step, problem observed.Problem) func(*observed.Input) {
	return func(in *observed.Input) {
		in.Reached, in.Applied, in.Looked, in.Problems = step, false, false, []observed.Problem{problem}
	}
}

// problem is one whose condition and actor are those of its reason.
func problem(reason string) observed.Problem {
	return observed.Problem{Reason: reason, Message: "about " + reason}
}

// contactLost is as young or as old as said.
func contactLost(reason string, age time.Duration) func(*observed.Input) {
	p := problem(reason)
	p.Condition = vitistackv1alpha1.ConditionRemoteReachable
	p.Since = now.Add(-age)
	return stoppedAt(observed.StepRemote, p)
}

func deleting(in *observed.Input) {
	in.Machine.DeletionTimestamp = &metav1.Time{Time: before}
}

// after puts the status of an earlier input into the Machine.
func after(earlier observed.Input) func(*observed.Input) {
	earlier.Now = before
	return func(in *observed.Input) { in.Machine.Status = observed.Status(earlier) }
}

// virtualMachine has one disk, a cloud-init disk and one interface.
func virtualMachine(
	state kubevirtv1.VirtualMachinePrintableStatus, change ...func(*kubevirtv1.VirtualMachine),
) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Name: "vm-m", Namespace: "team-a", UID: "vm-uid",
			CreationTimestamp: metav1.Time{Time: before}},
		Spec: kubevirtv1.VirtualMachineSpec{
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: instanceSpec()},
			DataVolumeTemplates: []kubevirtv1.DataVolumeTemplateSpec{{
				ObjectMeta: metav1.ObjectMeta{Name: "vm-m-root-1a2b3c4d"},
				Spec: cdiv1beta1.DataVolumeSpec{Storage: &cdiv1beta1.StorageSpec{Resources: corev1.VolumeResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
				}}},
			}},
		},
		Status: kubevirtv1.VirtualMachineStatus{PrintableStatus: state},
	}
	for _, c := range change {
		c(vm)
	}
	return vm
}

func instanceSpec() kubevirtv1.VirtualMachineInstanceSpec {
	return kubevirtv1.VirtualMachineInstanceSpec{
		Architecture: "amd64",
		Domain: kubevirtv1.DomainSpec{
			CPU:    &kubevirtv1.CPU{Cores: 2, Sockets: 1, Threads: 2},
			Memory: &kubevirtv1.Memory{Guest: ptr.To(resource.MustParse("2Gi"))},
			Devices: kubevirtv1.Devices{
				Interfaces: []kubevirtv1.Interface{{Name: "vlan10", MacAddress: "02:00:00:00:00:01"}},
				Disks: []kubevirtv1.Disk{
					{Name: "cloudinitdisk", DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: "virtio"}}},
					{Name: "root", DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: "virtio"}}},
				},
			},
		},
		Volumes: []kubevirtv1.Volume{
			{Name: "cloudinitdisk", VolumeSource: kubevirtv1.VolumeSource{
				CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{},
			}},
			{Name: "root", VolumeSource: kubevirtv1.VolumeSource{
				DataVolume: &kubevirtv1.DataVolumeSource{Name: "vm-m-root-1a2b3c4d"},
			}},
		},
	}
}

// instance is one that reports everything, as KubeVirt with a guest agent does.
func instance(
	phase kubevirtv1.VirtualMachineInstancePhase, change ...func(*kubevirtv1.VirtualMachineInstance),
) *kubevirtv1.VirtualMachineInstance {
	vmi := &kubevirtv1.VirtualMachineInstance{
		ObjectMeta: metav1.ObjectMeta{Name: "vm-m", Namespace: "team-a"},
		Spec:       instanceSpec(),
		Status: kubevirtv1.VirtualMachineInstanceStatus{
			Phase:    phase,
			NodeName: "node-1",
			GuestOSInfo: kubevirtv1.VirtualMachineInstanceGuestOSInfo{
				Name: "Ubuntu", VersionID: "24.04", Version: "24.04 LTS", KernelRelease: "6.8.0-60-generic",
			},
			PhaseTransitionTimestamps: []kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp{
				{Phase: kubevirtv1.Running, PhaseTransitionTimestamp: metav1.Time{Time: before}},
				{Phase: kubevirtv1.Scheduled, PhaseTransitionTimestamp: metav1.Time{Time: now}},
			},
			Interfaces: []kubevirtv1.VirtualMachineInstanceNetworkInterface{
				{MAC: "00:00:00:00:00:00", IP: "127.0.0.1", IPs: []string{"127.0.0.1"}, InterfaceName: "lo",
					InfoSource: "guest-agent"},
				{MAC: "02:42:00:00:00:02", IPs: []string{"172.17.0.1"}, InterfaceName: "docker0", InfoSource: "guest-agent"},
				{MAC: "02:42:00:00:00:03", InterfaceName: "bond0", InfoSource: "guest-agent"},
				{
					Name: "vlan10", MAC: "02:00:00:00:00:01", IP: "fe80::1", IPs: []string{"fe80::1", "2001:db8::10", "10.0.1.21"},
					InterfaceName: "eth0", InfoSource: "domain, guest-agent, multus-status", LinkState: "up",
				},
			},
			VolumeStatus: []kubevirtv1.VolumeStatus{
				{Name: "cloudinitdisk", Target: "vda", Size: 1048576},
				{Name: "root", Target: "vdb", PersistentVolumeClaimInfo: &kubevirtv1.PersistentVolumeClaimInfo{
					ClaimName: "vm-m-root-1a2b3c4d", AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
					VolumeMode: ptr.To(corev1.PersistentVolumeBlock),
					Requests:   corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
					Capacity:   corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("11Gi")},
				}},
			},
		},
	}
	for _, c := range change {
		c(vmi)
	}
	return vmi
}

// condition is one of a VirtualMachineInstance.
func instanceCondition(conditionType, reason, message string) func(*kubevirtv1.VirtualMachineInstance) {
	return func(vmi *kubevirtv1.VirtualMachineInstance) {
		vmi.Status.Conditions = append(vmi.Status.Conditions, kubevirtv1.VirtualMachineInstanceCondition{
			Type: kubevirtv1.VirtualMachineInstanceConditionType(conditionType), Status: corev1.ConditionFalse, Reason: reason,
			Message: message,
		})
	}
}

func machineCondition(
	conditionType kubevirtv1.VirtualMachineConditionType, reason, message string,
) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) {
		vm.Status.Conditions = append(vm.Status.Conditions, kubevirtv1.VirtualMachineCondition{
			Type: conditionType, Status: corev1.ConditionTrue, Reason: reason, Message: message,
		})
	}
}

// summary is what people see of a status.
type summary struct {
	Phase    vitistackv1alpha1.MachinePhase
	State    string
	Ready    string // status/reason of the condition
	VM       string // the same of VirtualMachineReady
	Failure  string // reason and message of the failure
	IPs      []string
	Reaching string // status/reason of RemoteReachable
}

func summarise(s vitistackv1alpha1.MachineStatus) summary {
	short := func(conditionType string) string {
		c := s.Condition(conditionType)
		if c == nil {
			return ""
		}
		return string(c.Status) + "/" + c.Reason
	}
	failure := s.FailureReason
	if s.FailureMessage != "" {
		failure += ": " + s.FailureMessage
	}
	return summary{
		Phase: s.Phase, State: s.State, Ready: short(vitistackv1alpha1.ConditionReady),
		VM:      short(vitistackv1alpha1.ConditionVirtualMachineReady),
		Failure: failure, IPs: s.PublicIPAddresses, Reaching: short(vitistackv1alpha1.ConditionRemoteReachable),
	}
}
