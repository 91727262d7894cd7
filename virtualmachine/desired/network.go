package desired

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// podInterface is the name of the one interface of a virtual machine on the pod network.
const podInterface = "default"

// The operators that give addresses where a NetworkNamespace names none.
const (
	providerDHCP   = "kea"
	providerStatic = "static-ip-operator"
)

// Network is where a virtual machine is attached. The zero value is the pod network.
type Network struct {
	// NetworkNamespace is the name of the NetworkNamespace, "" where there is none.
	NetworkNamespace string
	// Provider is the operator that gives addresses, "" where the NetworkNamespace says nothing about them.
	Provider string
	// VLAN is 1 to 4094, 0 for the pod network.
	VLAN int
	// Static says that addresses come out of a range and reach the guest through cloud-init.
	Static bool
	// CIDR, IPv6CIDR, Gateway and DNS are the range's, for interfaces whose own are not given.
	CIDR, IPv6CIDR, Gateway string
	DNS                     []string
}

// Interface is the name of an interface on the network: "default" on the pod network, else that of the NetworkAttachmentDefinition.
func (n Network) Interface() string { return or(n.NetworkAttachmentDefinition(), podInterface) }

// NetworkAttachmentDefinition is the name of the NetworkAttachmentDefinition, "" on the pod network.
func (n Network) NetworkAttachmentDefinition() string {
	if n.VLAN == 0 {
		return ""
	}
	return "vlan" + strconv.Itoa(n.VLAN)
}

// Attachment is an interface of a virtual machine, and the network that it is attached to.
type Attachment struct {
	// Name of the interface.
	Name string
	// Network that it is attached to.
	Network Network
}

// Attachments are the interfaces of a Machine, at least one, the primary first: that one has the default route, boots from the network, and
// is named as its network is, because operators of addresses know it by that name. Each interface of the Machine is on the
// NetworkNamespace that its subnet names, or else on the Machine's own. Errors are those of [SelectNetworkNamespace] and [NetworkFor],
// and [*Refusal] of reason InvalidSpec.
func Attachments(machine *vitistackv1alpha1.Machine, networkNamespaces []vitistackv1alpha1.NetworkNamespace) ([]Attachment, error) {
	wanted := slices.Clone(machine.Spec.Network.Interfaces)
	if len(wanted) == 0 {
		wanted = make([]vitistackv1alpha1.NetworkInterface, 1)
	}
	if primary := slices.IndexFunc(wanted, func(i vitistackv1alpha1.NetworkInterface) bool { return i.Primary }); primary > 0 {
		wanted[0], wanted[primary] = wanted[primary], wanted[0]
	}
	var attachments []Attachment
	for i, w := range wanted {
		selected, err := SelectNetworkNamespace(machine, w.Subnet, networkNamespaces)
		if err != nil {
			return nil, err
		}
		network, err := NetworkFor(selected)
		if err != nil {
			return nil, err
		}
		next := Attachment{Name: network.Interface(), Network: network}
		if i > 0 {
			next.Name = or(w.Name, next.Name)
		}
		if err := next.check(attachments); err != nil {
			return nil, err
		}
		attachments = append(attachments, next)
	}
	return attachments, nil
}

// check refuses what cannot be beside the interfaces before it.
func (a Attachment) check(before []Attachment) error {
	if problems := validation.IsDNS1123Label(a.Name); len(problems) > 0 {
		return invalid("network.interfaces: %q: %s", a.Name, strings.Join(problems, "; "))
	}
	for _, b := range before {
		if a.Name == b.Name {
			return invalid("network.interfaces: two are called %q: give the second a name", a.Name)
		}
		if a.Network.VLAN == 0 && b.Network.VLAN == 0 {
			return invalid("network.interfaces: %q and %q are both on the pod network, which takes one", b.Name, a.Name)
		}
	}
	return nil
}

// NetworkNamespaces are the names of those that a Machine is attached to, each once, that of the first interface first: there is a
// NetworkConfiguration for each. "" is the pod network.
func NetworkNamespaces(attachments []Attachment) []string {
	var names []string
	for _, a := range attachments {
		if !slices.Contains(names, a.Network.NetworkNamespace) {
			names = append(names, a.Network.NetworkNamespace)
		}
	}
	return names
}

// SelectNetworkNamespace chooses a NetworkNamespace among those of the Machine's namespace: the one of the name, "" for the Machine's own:
// the one that it names; else the one of its own name; else the only one. nil means the pod network. It returns a [*Wait] of reason
// NetworkNamespaceNotFound, or a [*Refusal] of reason NetworkNamespaceAmbiguous where there are several: the first of a list would be
// the wrong one sooner or later.
func SelectNetworkNamespace(machine *vitistackv1alpha1.Machine, name string, networkNamespaces []vitistackv1alpha1.NetworkNamespace) (*vitistackv1alpha1.NetworkNamespace, error) {
	name = or(name, machine.Spec.Network.NetworkNamespaceName)
	var all []*vitistackv1alpha1.NetworkNamespace
	for i := range networkNamespaces {
		nn := &networkNamespaces[i]
		if nn.Namespace != machine.Namespace {
			continue
		}
		if nn.Name == or(name, machine.Name) {
			return nn.DeepCopy(), nil
		}
		all = append(all, nn)
	}
	switch {
	case name != "":
		return nil, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotFound, "there is no NetworkNamespace %q in namespace %q", name, machine.Namespace)
	case len(all) > 1:
		return nil, refuse(vitistackv1alpha1.ReasonNetworkNamespaceAmbiguous,
			"namespace %q has several NetworkNamespaces: name one in network.networkNamespaceName", machine.Namespace)
	case len(all) == 0:
		return nil, nil
	default:
		return all[0].DeepCopy(), nil
	}
}

// NetworkFor is the network of a NetworkNamespace; nil gives the pod network. A [*Wait] of reason NetworkNamespaceNotReady says that
// its VLAN is not known yet; guessing would attach the virtual machine to a wrong network, under a name that changes afterwards. A
// [*Refusal] of reason InvalidSpec says that the VLAN is none.
func NetworkFor(networkNamespace *vitistackv1alpha1.NetworkNamespace) (Network, error) {
	if networkNamespace == nil {
		return Network{}, nil
	}
	status := networkNamespace.Status
	network := Network{NetworkNamespace: networkNamespace.Name, VLAN: status.VlanID, CIDR: status.IPv4Prefix, IPv6CIDR: status.IPv6Prefix}
	if allocation := networkNamespace.Spec.IPAllocation; allocation != nil {
		network.Static = allocation.Type == vitistackv1alpha1.IPAllocationTypeStatic
		network.Provider = or(allocation.Provider, providerDHCP)
		if network.Static {
			network.Provider = or(allocation.Provider, providerStatic)
		}
		if static := allocation.Static; static != nil && network.Static {
			// The status gets its VLAN from the spec, and only after a Machine asked for an address.
			network.VLAN = or(static.VlanID, network.VLAN)
			network.CIDR, network.Gateway, network.DNS = or(static.IPv4CIDR, network.CIDR), static.IPv4Gateway, slices.Clone(static.DNS)
		}
	}
	switch {
	case network.VLAN < 0 || network.VLAN > 4094:
		return Network{}, invalid("NetworkNamespace %q has VLAN %d, which is not between 1 and 4094", networkNamespace.Name, network.VLAN)
	case network.VLAN == 0 && network.Static:
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotReady, "the VLAN of the static NetworkNamespace %q is not known yet", networkNamespace.Name)
	case network.VLAN == 0 && !reported(status):
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotReady, "NetworkNamespace %q has no status yet, so its VLAN is not known", networkNamespace.Name)
	}
	return network, nil
}

// reported says whether anybody has written a status: then a VLAN of 0 means that there is none.
func reported(status vitistackv1alpha1.NetworkNamespaceStatus) bool {
	return status.Phase != "" || status.Status != "" || status.Created != nil || status.ObservedGeneration != 0 || len(status.Conditions) > 0
}
