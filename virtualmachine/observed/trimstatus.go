package observed

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// status keeps what a Machine's status tells of, and shares what many instances say.
func (t *Trimmer) status(of kubevirtv1.VirtualMachineInstanceStatus) kubevirtv1.VirtualMachineInstanceStatus {
	share := func(text string) string { return t.shared.text(word(text)) }
	small := kubevirtv1.VirtualMachineInstanceStatus{
		Phase: kubevirtv1.VirtualMachineInstancePhase(share(string(of.Phase))), NodeName: t.shared.text(name(of.NodeName)),
		GuestOSInfo: kubevirtv1.VirtualMachineInstanceGuestOSInfo{
			Name: share(of.GuestOSInfo.Name), Version: share(of.GuestOSInfo.Version),
			VersionID: share(of.GuestOSInfo.VersionID), KernelRelease: share(of.GuestOSInfo.KernelRelease),
		},
		Interfaces: t.reported(of.Interfaces), VolumeStatus: t.volumeStatus(of.VolumeStatus),
		PhaseTransitionTimestamps: slices.Clone(slices.DeleteFunc(of.PhaseTransitionTimestamps,
			func(each kubevirtv1.VirtualMachineInstancePhaseTransitionTimestamp) bool {
				return each.Phase != kubevirtv1.Running
			})),
		CurrentCPUTopology: t.topology(of.CurrentCPUTopology), Memory: t.memoryStatus(of.Memory),
	}
	for i := range small.PhaseTransitionTimestamps {
		small.PhaseTransitionTimestamps[i].Phase = kubevirtv1.Running
	}
	for _, c := range of.Conditions {
		if isToldOfInstance(c) {
			c.Reason, c.Message = share(c.Reason), sentence(c.Message)
			small.Conditions = append(small.Conditions, c)
		}
	}
	return small
}

// isToldOfInstance reports whether a status tells of a condition of an instance: only of what is
// wrong.
func isToldOfInstance(c kubevirtv1.VirtualMachineInstanceCondition) bool {
	told := c.Type == kubevirtv1.VirtualMachineInstanceReady || c.Type == kubevirtv1.VirtualMachineInstanceSynchronized ||
		string(c.Type) == string(corev1.PodScheduled)
	return told && c.Status == corev1.ConditionFalse
}

func (t *Trimmer) topology(of *kubevirtv1.CPUTopology) *kubevirtv1.CPUTopology {
	if of == nil {
		return nil
	}
	return one(&t.shared, *of, func(known kubevirtv1.CPUTopology) *kubevirtv1.CPUTopology { return &known })
}

func (t *Trimmer) memoryStatus(of *kubevirtv1.MemoryStatus) *kubevirtv1.MemoryStatus {
	type current int64
	if of == nil || of.GuestCurrent == nil {
		return nil
	}
	return one(&t.shared, current(bytesOf(*of.GuestCurrent)), func(bytes current) *kubevirtv1.MemoryStatus {
		return &kubevirtv1.MemoryStatus{GuestCurrent: resource.NewQuantity(int64(bytes), resource.BinarySI)}
	})
}

// volumeStatus keeps where a guest sees its volumes, and their claims.
func (t *Trimmer) volumeStatus(of []kubevirtv1.VolumeStatus) []kubevirtv1.VolumeStatus {
	kept := make([]kubevirtv1.VolumeStatus, 0, len(of))
	for _, v := range of {
		small := kubevirtv1.VolumeStatus{Name: t.shared.text(v.Name), Target: t.shared.text(word(v.Target)), Size: v.Size}
		if claim := v.PersistentVolumeClaimInfo; claim != nil {
			small.PersistentVolumeClaimInfo = &kubevirtv1.PersistentVolumeClaimInfo{
				ClaimName: claim.ClaimName, AccessModes: slices.Clone(claim.AccessModes), VolumeMode: t.mode(claim.VolumeMode),
				Capacity: t.requests(claim.Capacity), Requests: t.requests(claim.Requests),
			}
		}
		if small.Target != "" || small.Size != 0 || small.PersistentVolumeClaimInfo != nil {
			kept = append(kept, small)
		}
	}
	return tight(kept)
}

func (t *Trimmer) mode(of *corev1.PersistentVolumeMode) *corev1.PersistentVolumeMode {
	if of == nil {
		return nil
	}
	return one(&t.shared, *of, func(known corev1.PersistentVolumeMode) *corev1.PersistentVolumeMode { return &known })
}

// maxReported bounds the interfaces that are kept of one instance, which is more than a status
// lists.
const maxReported = 8 * (maxSpecInterfaces + maxGuestInterfaces)

// reported drops the interfaces and addresses that no status lists.
func (t *Trimmer) reported(
	of []kubevirtv1.VirtualMachineInstanceNetworkInterface,
) []kubevirtv1.VirtualMachineInstanceNetworkInterface {
	kept := make([]kubevirtv1.VirtualMachineInstanceNetworkInterface, 0, min(len(of), maxReported))
	for _, r := range of {
		if !isListed(r) {
			continue
		}
		if len(kept) == maxReported {
			break
		}
		v4, v6 := addressesOf(r)
		kept = append(kept, kubevirtv1.VirtualMachineInstanceNetworkInterface{
			Name: t.shared.text(name(r.Name)), MAC: r.MAC, IPs: tight(slices.Concat(v4, v6)),
			LinkState: t.shared.text(word(r.LinkState)), InfoSource: t.shared.text(word(r.InfoSource)),
		})
	}
	return tight(kept)
}
