package desired

import (
	"slices"
	"strconv"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// podInterface is the name of the one interface of a virtual machine on the pod network.
const podInterface = "default"

// maxVLAN is the largest VLAN that a network can have.
const maxVLAN = 4094

// The operators that give addresses where a NetworkNamespace names none.
const (
	providerDHCP   = "kea"
	providerStatic = "static-ip-operator"
)

// Network is what a NetworkNamespace says about the network that it stands for. The zero value is
// the pod network.
type Network struct {
	// NetworkNamespace is the name of the NetworkNamespace, "" where there is none.
	NetworkNamespace string
	// Provider is the operator that gives addresses, "" where the NetworkNamespace says nothing
	// about them.
	Provider string
	// VLAN is 1 to 4094. 0 means untagged where Static is set, else the pod network.
	VLAN int
	// Static says that addresses come out of a range and reach the guest through cloud-init.
	Static bool
	// CIDR, IPv6CIDR, Gateway and DNS are the range's, for interfaces whose own are not given.
	CIDR, IPv6CIDR, Gateway string
	DNS                     []string
}

// Interface returns the name of an interface on the network: "default" on the pod network, else the
// name of the NetworkAttachmentDefinition.
func (n Network) Interface() string { return or(n.NetworkAttachmentDefinition(), podInterface) }

// NetworkAttachmentDefinition returns the name of the NetworkAttachmentDefinition: vlan and the
// number, vlan0 for an untagged static network, "" for the pod network.
func (n Network) NetworkAttachmentDefinition() string {
	if n.VLAN == 0 && !n.Static {
		return ""
	}
	return attachmentDefinitionName(n.VLAN)
}

func attachmentDefinitionName(vlan int) string { return "vlan" + strconv.Itoa(vlan) }

// SelectNetworkNamespace chooses a NetworkNamespace among those of the Machine's namespace: the one
// called name, where name "" means the Machine's own. The Machine's own is the one that it names,
// else the one of its own name, else the only one. nil means the pod network. It returns a [*Wait]
// of reason NetworkNamespaceNotFound, or a [*Refusal] of reason NetworkNamespaceAmbiguous where
// there are several: the first of a list would be the wrong one sooner or later.
func SelectNetworkNamespace(
	machine *vitistackv1alpha1.Machine, name string, networkNamespaces []vitistackv1alpha1.NetworkNamespace,
) (*vitistackv1alpha1.NetworkNamespace, error) {
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
		return nil, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotFound,
			"there is no NetworkNamespace %q in namespace %q", name, machine.Namespace)
	case len(all) > 1:
		return nil, refuse(vitistackv1alpha1.ReasonNetworkNamespaceAmbiguous,
			"namespace %q has several NetworkNamespaces: name one in network.networkNamespaceName", machine.Namespace)
	case len(all) == 0:
		return nil, nil
	default:
		return all[0].DeepCopy(), nil
	}
}

// NetworkFor returns the network of a NetworkNamespace; nil gives the pod network. The VLAN comes
// from the status, because whoever may write a NetworkNamespace could otherwise join every network;
// Options.VLANFromSpec trusts the spec too.
//
// A static NetworkNamespace whose spec names no VLAN is untagged: its author has answered, and no
// operator will write one later. A [*Wait] of reason NetworkNamespaceNotReady says that the VLAN is
// not known yet. Guessing would attach the virtual machine to a wrong network. A [*Refusal] of
// reason InvalidSpec says that the VLAN is none.
func NetworkFor(networkNamespace *vitistackv1alpha1.NetworkNamespace, options Options) (Network, error) {
	if networkNamespace == nil {
		return Network{}, nil
	}
	network := describe(networkNamespace)
	wanted := wantedVLAN(networkNamespace)
	if options.VLANFromSpec {
		network.VLAN = or(wanted, network.VLAN)
	}
	switch {
	case network.VLAN < 0 || network.VLAN > maxVLAN:
		return Network{}, invalid("NetworkNamespace %q has VLAN %d, which is not between 1 and %d",
			networkNamespace.Name, network.VLAN, maxVLAN)
	case network.VLAN == 0 && network.Static && wanted != 0:
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotReady,
			"the status of the static NetworkNamespace %q has no VLAN yet, and its spec asks for one", networkNamespace.Name)
	case network.VLAN == 0 && !network.Static && !reported(networkNamespace.Status):
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotReady,
			"NetworkNamespace %q has no status yet, so its VLAN is not known", networkNamespace.Name)
	}
	return network, nil
}

// describe returns the network of a NetworkNamespace with the VLAN of its status, however that may
// be.
func describe(networkNamespace *vitistackv1alpha1.NetworkNamespace) Network {
	status := networkNamespace.Status
	network := Network{
		NetworkNamespace: networkNamespace.Name, VLAN: status.VlanID, CIDR: status.IPv4Prefix, IPv6CIDR: status.IPv6Prefix,
	}
	allocation := networkNamespace.Spec.IPAllocation
	if allocation == nil {
		return network
	}
	network.Static = allocation.Type == vitistackv1alpha1.IPAllocationTypeStatic
	network.Provider = or(allocation.Provider, providerDHCP)
	if network.Static {
		network.Provider = or(allocation.Provider, providerStatic)
	}
	if static := allocation.Static; static != nil && network.Static {
		network.CIDR = or(static.IPv4CIDR, network.CIDR)
		network.Gateway, network.DNS = static.IPv4Gateway, slices.Clone(static.DNS)
	}
	return network
}

// wantedVLAN returns the VLAN that the spec of a static NetworkNamespace asks for, or 0.
func wantedVLAN(networkNamespace *vitistackv1alpha1.NetworkNamespace) int {
	allocation := networkNamespace.Spec.IPAllocation
	if allocation == nil || allocation.Static == nil || allocation.Type != vitistackv1alpha1.IPAllocationTypeStatic {
		return 0
	}
	return allocation.Static.VlanID
}

// reported says whether an operator has written a status: then a VLAN of 0 means that there is
// none.
func reported(status vitistackv1alpha1.NetworkNamespaceStatus) bool {
	return status.Phase != "" || status.Status != "" || status.Created != nil || status.ObservedGeneration != 0 ||
		len(status.Conditions) > 0
}

// findNetworkNamespace returns the NetworkNamespace of a name in a namespace, or nil.
func findNetworkNamespace(
	all []vitistackv1alpha1.NetworkNamespace, namespace, name string,
) *vitistackv1alpha1.NetworkNamespace {
	for i := range all {
		if all[i].Name == name && all[i].Namespace == namespace {
			return &all[i]
		}
	}
	return nil
}
