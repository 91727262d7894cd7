package observed

import (
	"cmp"
	"net"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// interfaces are those of the virtual machine in the order of its spec, then those that only the guest knows, by their address.
//
// One of the spec is there even without an IP address, or before the instance reports it: consumers take a machine without interfaces
// for one that is not there. One that only the guest knows (a bridge, a container's) needs an IP address. None is there without a MAC
// address of its own: that is how a guest's loop-back device looks.
func interfaces(spec kubevirtv1.VirtualMachineInstanceSpec, vmi *kubevirtv1.VirtualMachineInstance) []vitistackv1alpha1.NetworkInterfaceStatus {
	var reported []kubevirtv1.VirtualMachineInstanceNetworkInterface
	if vmi != nil {
		reported = vmi.Status.Interfaces
	}
	var result []vitistackv1alpha1.NetworkInterfaceStatus
	inSpec := map[string]bool{}
	for _, wanted := range spec.Domain.Devices.Interfaces {
		inSpec[wanted.Name] = true
		i := slices.IndexFunc(reported, func(r kubevirtv1.VirtualMachineInstanceNetworkInterface) bool {
			return r.Name == wanted.Name && hasMAC(r.MAC)
		})
		switch {
		case i >= 0:
			result = append(result, interfaceStatus(reported[i]))
		case hasMAC(wanted.MacAddress):
			result = append(result, vitistackv1alpha1.NetworkInterfaceStatus{Name: wanted.Name, MACAddress: wanted.MacAddress})
		}
	}
	var others []vitistackv1alpha1.NetworkInterfaceStatus
	for _, r := range reported {
		if hasMAC(r.MAC) && !inSpec[r.Name] && (r.Name != "" || len(r.IPs) > 0 || r.IP != "") {
			others = append(others, interfaceStatus(r))
		}
	}
	slices.SortStableFunc(others, func(a, b vitistackv1alpha1.NetworkInterfaceStatus) int {
		return cmp.Or(-cmp.Compare(named(a), named(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.MACAddress, b.MACAddress),
			slices.Compare(a.IPAddresses, b.IPAddresses))
	})
	return append(result, others...)
}

func named(i vitistackv1alpha1.NetworkInterfaceStatus) int {
	return min(len(i.Name), 1)
}

// hasMAC says whether an address is one: a guest reports zeros, or nothing, for devices that have none.
func hasMAC(address string) bool {
	mac, err := net.ParseMAC(address)
	return err == nil && slices.ContainsFunc(mac, func(b byte) bool { return b != 0 })
}

func interfaceStatus(r kubevirtv1.VirtualMachineInstanceNetworkInterface) vitistackv1alpha1.NetworkInterfaceStatus {
	reported := r.IPs
	if len(reported) == 0 && r.IP != "" {
		reported = []string{r.IP}
	}
	v4, v6 := byFamily(reported)
	return vitistackv1alpha1.NetworkInterfaceStatus{
		Name:          r.Name,
		MACAddress:    r.MAC,
		IPAddresses:   slices.Concat(v4, v6),
		IPv6Addresses: v6,
		State:         r.LinkState,
		Type:          r.InfoSource,
	}
}
