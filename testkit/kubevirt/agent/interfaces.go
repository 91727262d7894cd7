package agent

import (
	"fmt"
	"net/netip"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"
)

// interfaces reports each interface of a guest, in the order in which the instance has them.
func interfaces(
	vmi *kubevirtv1.VirtualMachineInstance, guest Guest, f facts,
) []kubevirtv1.VirtualMachineInstanceNetworkInterface {
	networks := map[string]kubevirtv1.Network{}
	for _, network := range vmi.Spec.Networks {
		networks[network.Name] = network
	}
	reported := map[string]kubevirtv1.VirtualMachineInstanceNetworkInterface{}
	for _, old := range vmi.Status.Interfaces {
		reported[old.Name] = old
	}
	var all []kubevirtv1.VirtualMachineInstanceNetworkInterface
	for i, nic := range vmi.Spec.Domain.Devices.Interfaces {
		if nic.State == kubevirtv1.InterfaceStateAbsent {
			continue
		}
		one := reported[nic.Name] // virt-controller has written what Multus told it
		one.Name = nic.Name
		one.MAC = macOf(vmi, nic)
		one.QueueCount = 1
		one.LinkState = linkState(nic)
		one.InterfaceName = ""
		sources := []string{"domain"}
		if !guest.NoGuestAgent {
			one.InterfaceName = fmt.Sprintf("eth%d", i)
			sources = append(sources, "guest-agent")
		}
		if networks[nic.Name].Multus != nil {
			sources = append(sources, "multus-status")
		}
		one.InfoSource = strings.Join(sources, ", ")
		one.IPs = addressesOf(nic.Name, i == 0, networks[nic.Name], guest, f.addresses)
		one.IP = ""
		if len(one.IPs) > 0 {
			one.IP = one.IPs[0]
		}
		all = append(all, one)
	}
	return all
}

func macOf(vmi *kubevirtv1.VirtualMachineInstance, nic kubevirtv1.Interface) string {
	if nic.MacAddress != "" {
		return strings.ToLower(nic.MacAddress)
	}
	return generatedMAC(vmi.UID, nic.Name)
}

func linkState(nic kubevirtv1.Interface) string {
	if nic.State == kubevirtv1.InterfaceStateLinkDown {
		return "down"
	}
	return "up"
}

// addressesOf are what the guest's agent says; without any word of it, those of the Pod, for an
// interface on the Pod network.
func addressesOf(name string, first bool, network kubevirtv1.Network, guest Guest, pod []netip.Addr) []string {
	var ips []string
	if !guest.NoGuestAgent {
		for _, entry := range guest.Addresses {
			of, address := splitAddress(entry)
			if of == name || of == "" && first {
				ips = append(ips, address)
			}
		}
	}
	if len(ips) > 0 || network.Pod == nil {
		return ips
	}
	for _, address := range pod {
		ips = append(ips, address.String())
	}
	return ips
}
