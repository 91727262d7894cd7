package observed

import (
	"cmp"
	"net"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// The bounds of what a status lists. A guest chooses how many interfaces and addresses it reports,
// and could outgrow what an object may hold.
const (
	// maxSpecInterfaces and maxGuestInterfaces bound those of the spec and those that only the
	// guest knows.
	maxSpecInterfaces, maxGuestInterfaces = 64, 32
	// maxAddresses bounds the addresses of one interface, of which maxScanned are looked at, and
	// maxConfigured those of a Machine's NetworkConfigurations.
	maxAddresses, maxScanned, maxConfigured = 16, 1024, 128
	// maxDisks bounds the disks.
	maxDisks = 64
)

// interfaces are those of the virtual machine in the order of its spec, then those that only the
// guest knows, by their address.
//
// One of the spec is there even without an IP address, or before the instance reports it: consumers
// take a machine without interfaces for one that is not there. One that only the guest knows (a
// bridge, a container's) needs an address at which others can reach it: on a node of a cluster,
// there is one with a link-local address for each container, and the status would change with each.
// None is there without a MAC address of its own: that is how a guest's loop-back device looks.
func interfaces(
	spec kubevirtv1.VirtualMachineInstanceSpec, vmi *kubevirtv1.VirtualMachineInstance,
) []vitistackv1alpha1.NetworkInterfaceStatus {
	var reported []kubevirtv1.VirtualMachineInstanceNetworkInterface
	if vmi != nil {
		reported = vmi.Status.Interfaces
	}
	byName := map[string]kubevirtv1.VirtualMachineInstanceNetworkInterface{}
	for _, r := range reported {
		if _, known := byName[r.Name]; !known && hasMAC(r.MAC) {
			byName[r.Name] = r
		}
	}
	var result []vitistackv1alpha1.NetworkInterfaceStatus
	inSpec := map[string]bool{}
	for _, wanted := range spec.Domain.Devices.Interfaces {
		inSpec[wanted.Name] = true
		known, isReported := byName[wanted.Name]
		switch {
		case isReported:
			result = append(result, interfaceStatus(known))
		case hasMAC(wanted.MacAddress):
			result = append(result, vitistackv1alpha1.NetworkInterfaceStatus{Name: name(wanted.Name),
				MACAddress: wanted.MacAddress})
		}
	}
	result = result[:min(len(result), maxSpecInterfaces)]
	return append(result, guestInterfaces(reported, inSpec)...)
}

// guestInterfaces are those that are not in the spec, in an order that does not depend on that of
// the report: first those that KubeVirt has a name for.
func guestInterfaces(
	reported []kubevirtv1.VirtualMachineInstanceNetworkInterface, inSpec map[string]bool,
) []vitistackv1alpha1.NetworkInterfaceStatus {
	var others []vitistackv1alpha1.NetworkInterfaceStatus
	for _, r := range reported {
		if isListed(r) && !inSpec[r.Name] {
			others = append(others, interfaceStatus(r))
		}
	}
	slices.SortStableFunc(others, func(a, b vitistackv1alpha1.NetworkInterfaceStatus) int {
		return cmp.Or(-cmp.Compare(named(a), named(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.MACAddress, b.MACAddress),
			slices.Compare(a.IPAddresses, b.IPAddresses))
	})
	return others[:min(len(others), maxGuestInterfaces)]
}

func named(i vitistackv1alpha1.NetworkInterfaceStatus) int {
	return min(len(i.Name), 1)
}

// hasMAC says whether an address is one: a guest reports zeros, or nothing, for devices that have
// none. What is accepted is short and has no other characters than an address has.
func hasMAC(address string) bool {
	mac, err := net.ParseMAC(address)
	return err == nil && slices.ContainsFunc(mac, func(b byte) bool { return b != 0 })
}

// isListed says whether a status lists an interface, apart from how many there are.
func isListed(r kubevirtv1.VirtualMachineInstanceNetworkInterface) bool {
	if !hasMAC(r.MAC) {
		return false
	}
	v4, v6 := addressesOf(r)
	return r.Name != "" || len(routable(v4)) > 0 || len(routable(v6)) > 0
}

// addressesOf are the addresses of an interface. Where it has too many, those at which others can
// reach it come before those that every interface has.
func addressesOf(r kubevirtv1.VirtualMachineInstanceNetworkInterface) (v4, v6 []string) {
	reported := r.IPs
	if len(reported) == 0 && r.IP != "" {
		reported = []string{r.IP}
	}
	if len(reported) > maxAddresses {
		reported = reported[:min(len(reported), maxScanned)]
		reported = slices.Concat(routable(reported), reported)
	}
	return byFamily(reported, maxAddresses)
}

func interfaceStatus(r kubevirtv1.VirtualMachineInstanceNetworkInterface) vitistackv1alpha1.NetworkInterfaceStatus {
	v4, v6 := addressesOf(r)
	return vitistackv1alpha1.NetworkInterfaceStatus{
		Name:          name(r.Name),
		MACAddress:    r.MAC,
		IPAddresses:   slices.Concat(v4, v6),
		IPv6Addresses: v6,
		State:         word(r.LinkState),
		Type:          word(r.InfoSource),
	}
}
