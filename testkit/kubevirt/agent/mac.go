package agent

import (
	"context"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// macIndex finds instances by the addresses that their interfaces ask for.
const macIndex = "mac"

// macsOf returns the addresses that an instance asks for, in lower case.
func macsOf(object client.Object) []string {
	vmi, ok := object.(*kubevirtv1.VirtualMachineInstance)
	if !ok {
		return nil
	}
	var macs []string
	for _, nic := range vmi.Spec.Domain.Devices.Interfaces {
		if nic.MacAddress != "" {
			macs = append(macs, strings.ToLower(nic.MacAddress))
		}
	}
	return macs
}

// claimMACs takes the addresses that an instance asks for. If another one of the cluster has one of
// them, it says so and takes none.
func (h *handler) claimMACs(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) (string, error) {
	for _, mac := range macsOf(vmi) {
		holder, err := h.claimMAC(ctx, vmi, mac)
		if err != nil {
			return "", err
		}
		if holder != nil {
			h.macs.release(vmi.UID)
			return "MAC address " + mac + " is in use by VirtualMachineInstance " + keyOf(holder).String(), nil
		}
	}
	return "", nil
}

// claimMAC takes an address, or returns who has it: one that runs, else the first to ask that has
// not ended.
func (h *handler) claimMAC(
	ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, mac string,
) (*kubevirtv1.VirtualMachineInstance, error) {
	for {
		owner := h.macs.claim(mac, vmi.UID)
		same := &kubevirtv1.VirtualMachineInstanceList{} // looked up after the claim: who claimed before is in it, or gone
		if err := h.client.List(ctx, same, client.MatchingFields{macIndex: mac}); err != nil {
			return nil, err
		}
		var holder *kubevirtv1.VirtualMachineInstance
		for i := range same.Items {
			other := &same.Items[i]
			if other.UID != vmi.UID && !other.IsFinal() && (other.UID == owner || other.Status.Phase == kubevirtv1.Running) {
				holder = other
			}
		}
		if holder != nil || owner == vmi.UID {
			return holder, nil
		}
		h.macs.release(owner) // it is gone, without having ended
	}
}
