package observed

import (
	"net/netip"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// setAddresses sorts the addresses of a running guest: public are those of interfaces that KubeVirt has a name for, private those of
// interfaces that only the guest knows. Everywhere IPv4 comes first.
func (r *report) setAddresses(status *vitistackv1alpha1.MachineStatus) {
	var public, private []string
	for _, i := range status.NetworkInterfaces {
		if i.Name != "" {
			public = append(public, i.IPAddresses...)
		} else {
			private = append(private, i.IPAddresses...)
		}
	}
	if r.Options.IPSource == IPSourceNetworkConfiguration {
		public = r.configured()
	}
	public, private = routable(public), routable(private)
	status.PublicIPAddresses, status.PrivateIPAddresses = public, private
	status.IPAddresses, status.IPv6Addresses = byFamily(slices.Concat(public, private))
}

// configured are the addresses of the NetworkConfiguration.
func (r *report) configured() []string {
	if r.NetworkConfiguration == nil {
		return nil
	}
	var addresses []string
	for _, i := range r.NetworkConfiguration.Status.NetworkInterfaces {
		addresses = append(addresses, i.IPv4Addresses...)
		addresses = append(addresses, i.IPv6Addresses...)
	}
	return addresses
}

// routable are the addresses at which somebody else can reach the guest, IPv4 first. Every guest has link-local ones as soon as it is
// up: with them a machine would look ready long before it has an address.
func routable(addresses []string) []string {
	v4, v6 := byFamily(addresses)
	var result []string
	for _, address := range slices.Concat(v4, v6) {
		addr, err := netip.ParseAddr(address)
		if err == nil && !addr.IsLinkLocalUnicast() && !addr.IsLoopback() && !addr.IsUnspecified() {
			result = append(result, address)
		}
	}
	return result
}

// byFamily splits addresses, each once, in their order and without prefix lengths. What is no address is dropped.
func byFamily(addresses []string) (v4, v6 []string) {
	for _, address := range addresses {
		address, _, _ = strings.Cut(address, "/")
		addr, err := netip.ParseAddr(address)
		if err != nil {
			continue
		}
		into := &v6
		if addr.Is4() {
			into = &v4
		}
		if !slices.Contains(*into, address) {
			*into = append(*into, address)
		}
	}
	return v4, v6
}
