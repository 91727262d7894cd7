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
	// DHCP says that the guest asks for its addresses; there are none here. NoRoutes says that it
	// takes no routes with them.
	DHCP, NoRoutes bool
	// Addresses with their prefix lengths, IPv4 first.
	Addresses []netip.Prefix
	// Gateways are the default routes, at most one a family, IPv4 first.
	Gateways []netip.Addr
	// DNS are the name servers.
	DNS []netip.Addr
}

// StaticAddresses returns the addresses of all interfaces of a record. Those on static networks get
// theirs from the status of the NetworkConfiguration that the record names; nil means that no
// network is static. The first interface that the Machine asked for has the default routes. A
// [*Wait] of reason WaitingForAddresses says that some addresses are not there yet, one of reason
// NetworkNamespaceNotFound that a network can no longer be looked up; a [*Refusal] of reason
// InvalidSpec says that addresses cannot be read.
func StaticAddresses(
	machine *vitistackv1alpha1.Machine, record vitistackv1alpha1.NetworkRecord,
	networkNamespaces []vitistackv1alpha1.NetworkNamespace, configurations []vitistackv1alpha1.NetworkConfiguration,
) ([]InterfaceAddresses, error) {
	var all []InterfaceAddresses
	static := false
	primary := max(slices.IndexFunc(record.Attachments, isAsked), 0)
	for i, a := range record.Attachments {
		network, err := networkOf(machine, a, networkNamespaces)
		if err != nil {
			return nil, err
		}
		next := InterfaceAddresses{DHCP: true}
		if network.Static {
			static = true
			if next, err = addressesOf(a, network, findConfiguration(configurations, machine.Namespace, a)); err != nil {
				return nil, err
			}
		}
		if i != primary {
			next.Gateways, next.NoRoutes = nil, next.DHCP
		}
		next.Interface = Interface{Name: a.Interface, MAC: a.MAC}
		all = append(all, next)
	}
	if !static {
		return nil, nil
	}
	return all, nil
}

func isAsked(a vitistackv1alpha1.Attachment) bool { return a.Wanted != Unasked }

// networkOf returns the network of an attachment as its NetworkNamespace describes it now. Without
// the NetworkNamespace nothing tells whether a guest has static addresses, and a guest that loses
// them is cut off.
func networkOf(
	machine *vitistackv1alpha1.Machine, a vitistackv1alpha1.Attachment, all []vitistackv1alpha1.NetworkNamespace,
) (Network, error) {
	if a.NetworkNamespace == "" {
		return Network{}, nil
	}
	nn := findNetworkNamespace(all, machine.Namespace, a.NetworkNamespace)
	if nn == nil {
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotFound,
			"there is no NetworkNamespace %q in namespace %q any more, so the addresses of interface %q are not known",
			a.NetworkNamespace, machine.Namespace, a.Interface)
	}
	return describe(nn), nil
}

// findConfiguration returns the NetworkConfiguration that asks for the addresses of an attachment,
// or nil.
func findConfiguration(
	all []vitistackv1alpha1.NetworkConfiguration, namespace string, a vitistackv1alpha1.Attachment,
) *vitistackv1alpha1.NetworkConfiguration {
	for i := range all {
		if all[i].Name == a.NetworkConfiguration && all[i].Namespace == namespace {
			return &all[i]
		}
	}
	return nil
}

func addressesOf(
	a vitistackv1alpha1.Attachment, network Network, nc *vitistackv1alpha1.NetworkConfiguration,
) (result InterfaceAddresses, err error) {
	waiting := wait(vitistackv1alpha1.ReasonWaitingForAddresses,
		"no address is given yet to interface %q in NetworkNamespace %q", a.Interface, a.NetworkNamespace)
	if nc == nil {
		return result, waiting
	}
	given, found := givenTo(a.Interface, a.MAC, nc.Status.NetworkInterfaces)
	if !found {
		return result, waiting
	}
	v4, err := readFamily(given.IPv4Addresses, or(given.IPv4Subnet, network.CIDR), or(given.IPv4Gateway, network.Gateway))
	if err != nil {
		return result, err
	}
	v6, err := readFamily(given.IPv6Addresses, or(given.IPv6Subnet, network.IPv6CIDR), given.IPv6Gateway)
	if err != nil {
		return result, err
	}
	result.Addresses = append(v4.addresses, v6.addresses...)
	result.Gateways = append(v4.gateways, v6.gateways...)
	servers := given.DNS
	if len(servers) == 0 {
		servers = network.DNS
	}
	result.DNS, err = readAddresses(servers)
	return result, err
}

// givenTo finds the interface by its name. An entry with another MAC address is left over from an
// earlier Machine of that name.
func givenTo(
	name, mac string, interfaces []vitistackv1alpha1.NetworkConfigurationInterface,
) (given vitistackv1alpha1.NetworkConfigurationInterface, found bool) {
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

// readFamily gives the addresses of one family the prefix length of their subnet, unless they bring
// their own.
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
