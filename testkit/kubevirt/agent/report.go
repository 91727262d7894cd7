package agent

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// machineType is what QEMU makes of the alias q35.
const machineType = "pc-q35-rhel9.6.0"

// guestSystem is what the guest's agent reports of its system.
var guestSystem = kubevirtv1.VirtualMachineInstanceGuestOSInfo{
	ID: "debian", Name: "Debian GNU/Linux", PrettyName: "Debian GNU/Linux 13 (trixie)", Version: "13 (trixie)",
	VersionID:     "13",
	KernelRelease: "6.12.48+deb13-amd64", KernelVersion: "#1 SMP PREEMPT_DYNAMIC", Machine: "x86_64",
}

// report writes what virt-handler reports of a guest that runs.
func report(vmi *kubevirtv1.VirtualMachineInstance, guest Guest, f facts) {
	status := &vmi.Status
	status.NodeName = f.node
	if status.Machine == nil {
		status.Machine = &kubevirtv1.Machine{Type: machineType}
	}
	status.Interfaces = interfaces(vmi, guest, f)
	status.VolumeStatus = volumes(vmi, f)
	if guest.NoGuestAgent {
		status.GuestOSInfo = kubevirtv1.VirtualMachineInstanceGuestOSInfo{}
		removeCondition(vmi, kubevirtv1.VirtualMachineInstanceAgentConnected)
	} else {
		status.GuestOSInfo = guestSystem
		setCondition(vmi, kubevirtv1.VirtualMachineInstanceAgentConnected, corev1.ConditionTrue, "", "")
	}
	reportMigratable(vmi)
}

// reportMigratable says whether an instance could move to another node: its disks must be shared,
// and an interface on the Pod network must not be a bridge.
func reportMigratable(vmi *kubevirtv1.VirtualMachineInstance) {
	storage, storageReason, storageMessage := corev1.ConditionTrue, "", ""
	for _, volume := range vmi.Status.VolumeStatus {
		claim := volume.PersistentVolumeClaimInfo
		if claim != nil && !slices.Contains(claim.AccessModes, corev1.ReadWriteMany) {
			storage = corev1.ConditionFalse
			storageReason = kubevirtv1.VirtualMachineInstanceReasonDisksNotMigratable
			storageMessage = "cannot migrate VMI: PVC " + claim.ClaimName +
				" is not shared, live migration requires that all PVCs must be " +
				"shared (using ReadWriteMany access mode)"
		}
	}
	status, reason, message := storage, storageReason, storageMessage
	if bridgesPodNetwork(vmi) {
		status, reason = corev1.ConditionFalse, kubevirtv1.VirtualMachineInstanceReasonInterfaceNotMigratable
		message = "cannot migrate VMI which does not use masquerade, " +
			"bridge with kubevirt.io/allow-pod-bridge-network-live-migration VM annotation " +
			"or a migratable plugin to connect to the pod network"
	}
	setCondition(vmi, kubevirtv1.VirtualMachineInstanceIsMigratable, status, reason, message)
	setCondition(vmi, kubevirtv1.VirtualMachineInstanceIsStorageLiveMigratable, storage, storageReason, storageMessage)
}

func bridgesPodNetwork(vmi *kubevirtv1.VirtualMachineInstance) bool {
	for _, network := range vmi.Spec.Networks {
		if network.Pod == nil {
			continue
		}
		for _, nic := range vmi.Spec.Domain.Devices.Interfaces {
			if nic.Name == network.Name && nic.Bridge != nil {
				return true
			}
		}
	}
	return false
}

// volumes reports each volume with the device that the guest sees, sorted by name.
func volumes(vmi *kubevirtv1.VirtualMachineInstance, f facts) []kubevirtv1.VolumeStatus {
	targets := targets(vmi.Spec.Domain.Devices.Disks)
	reported := map[string]kubevirtv1.VolumeStatus{}
	for _, old := range vmi.Status.VolumeStatus {
		reported[old.Name] = old
	}
	var all []kubevirtv1.VolumeStatus
	for _, volume := range vmi.Spec.Volumes {
		status := reported[volume.Name] // virt-controller has written about claims
		status.Name = volume.Name
		status.Target = targets[volume.Name]
		if claim := f.claims[volume.Name]; claim != nil {
			status.PersistentVolumeClaimInfo = claimInfo(claim)
		}
		all = append(all, status)
	}
	slices.SortStableFunc(all, func(a, b kubevirtv1.VolumeStatus) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// targets names the device of each disk: vda, vdb, … on virtio, sda, sdb, … on the others.
func targets(disks []kubevirtv1.Disk) map[string]string {
	names := map[string]string{}
	next := map[string]byte{"vd": 'a', "sd": 'a'}
	for _, disk := range disks {
		prefix := "sd"
		if disk.Disk != nil && (disk.Disk.Bus == kubevirtv1.DiskBusVirtio || disk.Disk.Bus == "") {
			prefix = "vd"
		}
		names[disk.Name] = prefix + string(next[prefix])
		next[prefix]++
	}
	return names
}

func claimInfo(claim *corev1.PersistentVolumeClaim) *kubevirtv1.PersistentVolumeClaimInfo {
	return &kubevirtv1.PersistentVolumeClaimInfo{
		ClaimName:   claim.Name,
		AccessModes: claim.Spec.AccessModes,
		VolumeMode:  claim.Spec.VolumeMode,
		Capacity:    claim.Status.Capacity,
		Requests:    claim.Spec.Resources.Requests,
	}
}
