package desired

import (
	"net/netip"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

// InterfaceAddresses are the static addresses of one interface.
type InterfaceAddresses struct {
	// Interface that has them.
	Interface Interface
	// Addresses with their prefix lengths, IPv4 first.
	Addresses []netip.Prefix
	// Gateways are the default routes, at most one a family, IPv4 first.
	Gateways []netip.Addr
	// DNS are the name servers.
	DNS []netip.Addr
}

// StaticAddresses are the addresses that a NetworkConfiguration's status gives to the interface of a static network. A [*Wait] of
// reason WaitingForAddresses says that there are none yet, a [*Refusal] of reason InvalidSpec that they cannot be read.
func StaticAddresses(network Network, nc *vitistackv1alpha1.NetworkConfiguration) (InterfaceAddresses, error) {
	waiting := wait(vitistackv1alpha1.ReasonWaitingForAddresses, "no address is given yet to interface %q in NetworkNamespace %q", network.Interface(), network.NetworkNamespace)
	mac, found := macOf(network.Interface(), configured(nc))
	if !found {
		return InterfaceAddresses{}, waiting
	}
	given, found := givenTo(network.Interface(), mac, nc.Status.NetworkInterfaces)
	if !found {
		return InterfaceAddresses{}, waiting
	}
	result := InterfaceAddresses{Interface: Interface{Name: network.Interface(), MAC: mac}}
	v4, err := readFamily(given.IPv4Addresses, or(given.IPv4Subnet, network.CIDR), or(given.IPv4Gateway, network.Gateway))
	if err != nil {
		return InterfaceAddresses{}, err
	}
	v6, err := readFamily(given.IPv6Addresses, given.IPv6Subnet, given.IPv6Gateway)
	if err != nil {
		return InterfaceAddresses{}, err
	}
	result.Addresses = append(v4.addresses, v6.addresses...)
	result.Gateways = append(v4.gateways, v6.gateways...)
	servers := given.DNS
	if len(servers) == 0 {
		servers = network.DNS
	}
	if result.DNS, err = readAddresses(servers); err != nil {
		return InterfaceAddresses{}, err
	}
	return result, nil
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
