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

// claimMACs takes the addresses that an instance asks for. If another guest of the cluster has one of them, it says so and takes none.
func (h *handler) claimMACs(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) (string, error) {
	for _, mac := range macsOf(vmi) {
		holder, err := h.holder(ctx, vmi, mac)
		if err != nil {
			return "", err
		}
		if holder == "" && h.macs.claim(mac, vmi.UID) {
			continue
		}
		if vmi.Status.Phase != kubevirtv1.Running {
			h.macs.release(vmi.UID)
		}
		if holder == "" {
			holder = "another VirtualMachineInstance"
		}
		return "MAC address " + mac + " is in use by " + holder, nil
	}
	return "", nil
}

// holder names the running guest, other than vmi, that has an address, or returns "".
func (h *handler) holder(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, mac string) (string, error) {
	same := &kubevirtv1.VirtualMachineInstanceList{}
	if err := h.client.List(ctx, same, client.MatchingFields{macIndex: mac}); err != nil {
		return "", err
	}
	for i := range same.Items {
		if other := &same.Items[i]; other.UID != vmi.UID && other.Status.Phase == kubevirtv1.Running {
			return "VirtualMachineInstance " + keyOf(other).String(), nil
		}
	}
	return "", nil
}
