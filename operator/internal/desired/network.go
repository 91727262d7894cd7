package desired

import (
	"slices"
	"strconv"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

// podInterface is the name of the one interface of a virtual machine on the pod network.
const podInterface = "default"

// Network is where a virtual machine is attached. The zero value is the pod network.
type Network struct {
	// NetworkNamespace is the name of the NetworkNamespace, "" where there is none.
	NetworkNamespace string
	// VLAN is 1 to 4094, 0 for the pod network.
	VLAN int
	// Static says that addresses come out of a range and reach the guest through cloud-init.
	Static bool
	// CIDR, Gateway and DNS are the range's, for interfaces whose own are not given.
	CIDR, Gateway string
	DNS           []string
}

// Interface is the name of the one interface: "default" on the pod network, else that of the NetworkAttachmentDefinition.
func (n Network) Interface() string {
	if n.VLAN == 0 {
		return podInterface
	}
	return n.NetworkAttachmentDefinition()
}

// NetworkAttachmentDefinition is the name of the NetworkAttachmentDefinition, "" on the pod network.
func (n Network) NetworkAttachmentDefinition() string {
	if n.VLAN == 0 {
		return ""
	}
	return "vlan" + strconv.Itoa(n.VLAN)
}

// SelectNetworkNamespace chooses a Machine's NetworkNamespace among those of its namespace: the one it names; else the one of its own
// name; else the only one. nil means the pod network. It returns a [*Wait] of reason NetworkNamespaceNotFound, or a [*Refusal] of
// reason NetworkNamespaceAmbiguous where there are several: the first of a list would be the wrong one sooner or later.
func SelectNetworkNamespace(machine *vitistackv1alpha1.Machine, networkNamespaces []vitistackv1alpha1.NetworkNamespace) (*vitistackv1alpha1.NetworkNamespace, error) {
	name := or(machine.Spec.Network.NetworkNamespaceName, machine.Name)
	named := slices.IndexFunc(networkNamespaces, func(nn vitistackv1alpha1.NetworkNamespace) bool {
		return nn.Name == name && nn.Namespace == machine.Namespace
	})
	if named >= 0 {
		return networkNamespaces[named].DeepCopy(), nil
	}
	if machine.Spec.Network.NetworkNamespaceName != "" {
		return nil, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotFound, "there is no NetworkNamespace %q in namespace %q", name, machine.Namespace)
	}
	var only *vitistackv1alpha1.NetworkNamespace
	for i := range networkNamespaces {
		if networkNamespaces[i].Namespace != machine.Namespace {
			continue
		}
		if only != nil {
			return nil, refuse(vitistackv1alpha1.ReasonNetworkNamespaceAmbiguous,
				"namespace %q has several NetworkNamespaces: name one in network.networkNamespaceName", machine.Namespace)
		}
		only = &networkNamespaces[i]
	}
	return only.DeepCopy(), nil
}

// NetworkFor is the network of a NetworkNamespace; nil gives the pod network. A [*Wait] of reason NetworkNamespaceNotReady says that
// its VLAN is not known yet; guessing would attach the virtual machine to a wrong network, under a name that changes afterwards. A
// [*Refusal] of reason InvalidSpec says that the VLAN is none.
func NetworkFor(networkNamespace *vitistackv1alpha1.NetworkNamespace) (Network, error) {
	if networkNamespace == nil {
		return Network{}, nil
	}
	network := Network{NetworkNamespace: networkNamespace.Name, VLAN: networkNamespace.Status.VlanID}
	allocation := networkNamespace.Spec.IPAllocation
	if allocation != nil && allocation.Type == vitistackv1alpha1.IPAllocationTypeStatic {
		network.Static = true
		if static := allocation.Static; static != nil {
			// The status gets its VLAN from the spec, and only after a Machine asked for an address.
			network.VLAN = or(static.VlanID, network.VLAN)
			network.CIDR, network.Gateway, network.DNS = static.IPv4CIDR, static.IPv4Gateway, slices.Clone(static.DNS)
		}
	}
	switch {
	case network.VLAN < 0 || network.VLAN > 4094:
		return Network{}, invalid("NetworkNamespace %q has VLAN %d, which is not between 1 and 4094", networkNamespace.Name, network.VLAN)
	case network.VLAN == 0 && network.Static:
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotReady, "the VLAN of the static NetworkNamespace %q is not known yet", networkNamespace.Name)
	case network.VLAN == 0 && !reported(networkNamespace.Status):
		return Network{}, wait(vitistackv1alpha1.ReasonNetworkNamespaceNotReady, "NetworkNamespace %q has no status yet, so its VLAN is not known", networkNamespace.Name)
	}
	return network, nil
}

// reported says whether anybody has written a status: then a VLAN of 0 means that there is none.
func reported(status vitistackv1alpha1.NetworkNamespaceStatus) bool {
	return status.Phase != "" || status.Status != "" || status.Created != nil || status.ObservedGeneration != 0 || len(status.Conditions) > 0
}
