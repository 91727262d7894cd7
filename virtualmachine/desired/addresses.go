package desired

import (
	"net/netip"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// InterfaceAddresses are the addresses of one interface.
type InterfaceAddresses struct {
	// Interface that has them.
	Interface Interface
	// DHCP says that the guest asks for its addresses; there are none here. NoRoutes says that it takes no routes with them.
	DHCP, NoRoutes bool
	// Addresses with their prefix lengths, IPv4 first.
	Addresses []netip.Prefix
	// Gateways are the default routes, at most one a family, IPv4 first.
	Gateways []netip.Addr
	// DNS are the name servers.
	DNS []netip.Addr
}

// StaticAddresses are the addresses of all interfaces, of which those on static networks get theirs from a NetworkConfiguration's status;
// nil where no network is static. nc has the interfaces of all of the Machine's NetworkConfigurations: see [AddInterfaces]. Default routes are the
// first interface's alone. A [*Wait] of reason WaitingForAddresses says that some
// are not there yet, a [*Refusal] of reason InvalidSpec that they cannot be read.
func StaticAddresses(machine *vitistackv1alpha1.Machine, attachments []Attachment, nc *vitistackv1alpha1.NetworkConfiguration, options Options) ([]InterfaceAddresses, error) {
	if !slices.ContainsFunc(attachments, func(a Attachment) bool { return a.Network.Static }) {
		return nil, nil
	}
	var all []InterfaceAddresses
	for i, a := range attachments {
		next := InterfaceAddresses{DHCP: true}
		if a.Network.Static {
			var err error
			if next, err = a.addresses(nc); err != nil {
				return nil, err
			}
		}
		if i > 0 {
			next.Gateways, next.NoRoutes = nil, next.DHCP
		}
		mac, err := macFor(machine, a.Name, options, configured(nc))
		if err != nil {
			return nil, err
		}
		next.Interface = Interface{Name: a.Name, MAC: mac}
		all = append(all, next)
	}
	return all, nil
}

func (a Attachment) addresses(nc *vitistackv1alpha1.NetworkConfiguration) (result InterfaceAddresses, err error) {
	waiting := wait(vitistackv1alpha1.ReasonWaitingForAddresses, "no address is given yet to interface %q in NetworkNamespace %q", a.Name, a.Network.NetworkNamespace)
	mac, found := macOf(a.Name, configured(nc))
	if !found {
		return result, waiting
	}
	given, found := givenTo(a.Name, mac, nc.Status.NetworkInterfaces)
	if !found {
		return result, waiting
	}
	v4, err := readFamily(given.IPv4Addresses, or(given.IPv4Subnet, a.Network.CIDR), or(given.IPv4Gateway, a.Network.Gateway))
	if err != nil {
		return result, err
	}
	v6, err := readFamily(given.IPv6Addresses, or(given.IPv6Subnet, a.Network.IPv6CIDR), given.IPv6Gateway)
	if err != nil {
		return result, err
	}
	result.Addresses = append(v4.addresses, v6.addresses...)
	result.Gateways = append(v4.gateways, v6.gateways...)
	servers := given.DNS
	if len(servers) == 0 {
		servers = a.Network.DNS
	}
	result.DNS, err = readAddresses(servers)
	return result, err
}

// givenTo finds the interface by its name. An entry with another MAC address is left over from an earlier Machine of that name.
func givenTo(name, mac string, interfaces []vitistackv1alpha1.NetworkConfigurationInterface) (vitistackv1alpha1.NetworkConfigurationInterface, bool) {
	for _, i := range interfaces {
		if i.Name != name || len(i.IPv4Addresses)+len(i.IPv6Addresses) == 0 {
			continue
		}
		if given, ok := ParseMAC(i.MacAddress); i.MacAddress == "" || ok && given == mac {
			return i, true
		}
	}
	return vitistackv1alpha1.NetworkConfigurationInterface{}, false
}

type family struct {
	addresses []netip.Prefix
	gateways  []netip.Addr
}

// readFamily gives the addresses of one family the prefix length of their subnet, unless they bring their own.
func readFamily(addresses []string, subnet, gateway string) (family, error) {
	var f family
	for _, address := range addresses {
		prefix, err := readPrefix(address, subnet)
		if err != nil {
			return family{}, err
		}
		f.addresses = append(f.addresses, prefix)
	}
	if len(f.addresses) == 0 || gateway == "" {
		return f, nil
	}
	gateways, err := readAddresses([]string{gateway})
	if err == nil && gateways[0].Is4() != f.addresses[0].Addr().Is4() {
		return f, invalid("the gateway %q is of another family than the address %q", gateway, addresses[0])
	}
	f.gateways = gateways
	return f, err
}

func readPrefix(address, subnet string) (netip.Prefix, error) {
	if strings.Contains(address, "/") {
		prefix, err := netip.ParsePrefix(address)
		if err != nil {
			return netip.Prefix{}, invalid("the address %q is none", address)
		}
		return prefix, nil
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, invalid("the address %q is none", address)
	}
	network, err := netip.ParsePrefix(subnet)
	if err != nil || network.Addr().Is4() != parsed.Is4() {
		return netip.Prefix{}, invalid("the address %q has no subnet: %q is none for it", address, subnet)
	}
	return netip.PrefixFrom(parsed, network.Bits()), nil
}

func readAddresses(addresses []string) ([]netip.Addr, error) {
	parsed := make([]netip.Addr, 0, len(addresses))
	for _, address := range addresses {
		addr, err := netip.ParseAddr(address)
		if err != nil {
			return nil, invalid("the address %q is none", address)
		}
		parsed = append(parsed, addr)
	}
	return parsed, nil
}
