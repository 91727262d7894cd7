package observed

import (
	"net/netip"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// setAddresses sorts the addresses of a running guest: public are those of interfaces that KubeVirt
// has a name for, private those of interfaces that only the guest knows. Everywhere IPv4 comes
// first.
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
	status.IPAddresses, status.IPv6Addresses = byFamily(slices.Concat(public, private), len(public)+len(private))
}

// configured are the addresses of the NetworkConfigurations.
func (r *report) configured() []string {
	var addresses []string
	for _, nc := range r.Network.Configurations {
		for _, i := range nc.Status.NetworkInterfaces {
			addresses = append(addresses, i.IPv4Addresses...)
			addresses = append(addresses, i.IPv6Addresses...)
		}
	}
	v4, v6 := byFamily(addresses, maxConfigured)
	return slices.Concat(v4, v6)
}

// routable are the addresses at which others can reach the guest, IPv4 first. Every guest has
// link-local ones as soon as it is up: with them a machine would look ready long before it has an
// address.
func routable(addresses []string) []string {
	var reachable []string
	for _, address := range addresses {
		if addr, ok := parseAddress(address); ok && !addr.IsLinkLocalUnicast() && !addr.IsLoopback() &&
			!addr.IsUnspecified() {
			reachable = append(reachable, address)
		}
	}
	v4, v6 := byFamily(reachable, len(reachable))
	return slices.Concat(v4, v6)
}

// byFamily splits addresses, each once, in their order and without prefix lengths, and at most
// limit. What is no address is dropped.
func byFamily(addresses []string, limit int) (v4, v6 []string) {
	seen := map[string]bool{}
	for _, address := range addresses {
		addr, ok := parseAddress(address)
		address, _, _ = strings.Cut(address, "/")
		switch {
		case !ok || seen[address]:
			continue
		case len(seen) == limit:
			return v4, v6
		case addr.Is4():
			v4 = append(v4, address)
		default:
			v6 = append(v6, address)
		}
		seen[address] = true
	}
	return v4, v6
}

// maxAddressLength is more than any address takes with its prefix length. A zone may be as long as
// a guest wishes.
const maxAddressLength = 64

// parseAddress reads an address with or without a prefix length. One with a zone names an interface
// of the guest, and means nothing to others.
func parseAddress(address string) (netip.Addr, bool) {
	if len(address) > maxAddressLength {
		return netip.Addr{}, false
	}
	address, _, _ = strings.Cut(address, "/")
	addr, err := netip.ParseAddr(address)
	return addr, err == nil && addr.Zone() == ""
}
