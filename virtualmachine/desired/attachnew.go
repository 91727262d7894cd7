package desired

import (
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// add decides the attachment of an entry that has none yet.
func (in AttachInput) add(
	first bool, entry vitistackv1alpha1.NetworkInterface, kept, dropped []vitistackv1alpha1.Attachment,
) (vitistackv1alpha1.Attachment, error) {
	selected, err := in.selectFor(entry, kept)
	if err != nil {
		return vitistackv1alpha1.Attachment{}, err
	}
	network, err := NetworkFor(selected, in.Options)
	if err != nil {
		return vitistackv1alpha1.Attachment{}, err
	}
	next := vitistackv1alpha1.Attachment{
		Wanted: entry.Name, Subnet: entry.Subnet, NetworkNamespace: network.NetworkNamespace, VLAN: network.VLAN,
		NetworkAttachmentDefinition: network.NetworkAttachmentDefinition(),
	}
	if selected != nil {
		next.NetworkNamespaceUID = selected.UID
	}
	next.Interface = interfaceName(first, entry.Name, network, kept, dropped)
	if next.MAC, err = in.mac(next, dropped); err != nil {
		return vitistackv1alpha1.Attachment{}, err
	}
	next.NetworkConfiguration = in.configurationName(next.NetworkNamespace, kept)
	return next, nil
}

// selectFor returns the NetworkNamespace of an entry. The Machine's own is the one that its other
// interfaces are on already, where it names none: a second NetworkNamespace that appears later
// makes nothing ambiguous.
func (in AttachInput) selectFor(
	entry vitistackv1alpha1.NetworkInterface, kept []vitistackv1alpha1.Attachment,
) (*vitistackv1alpha1.NetworkNamespace, error) {
	name := entry.Subnet
	if name == "" && in.Machine.Spec.Network.NetworkNamespaceName == "" {
		for _, a := range kept {
			if a.Wanted != Unasked && a.Subnet == "" {
				name = a.NetworkNamespace
			}
		}
	}
	return SelectNetworkNamespace(in.Machine, name, in.NetworkNamespaces)
}

// interfaceName returns the name of a new interface. The first one's is that of its network; so is
// another's that has no name. A name never moves to another network: guest, virtual machine and
// addresses know the interface by it.
func interfaceName(first bool, wanted string, network Network, kept, dropped []vitistackv1alpha1.Attachment) string {
	names := []string{or(wanted, network.Interface()), network.Interface()}
	if first {
		slices.Reverse(names)
	}
	for _, name := range names {
		_, taken := attachmentOf(kept, name)
		if taken && !first {
			break // the Machine gives one name to two
		}
		before, left := attachmentOf(dropped, name)
		if !taken && (!left || before.NetworkAttachmentDefinition == network.NetworkAttachmentDefinition()) {
			return name
		}
	}
	return names[0]
}

// mac returns the address of a new interface: the one that it had, else the one that is configured
// for it, else a derived one.
func (in AttachInput) mac(a vitistackv1alpha1.Attachment, dropped []vitistackv1alpha1.Attachment) (string, error) {
	before, found := attachmentOf(dropped, a.Interface)
	if found && before.MAC != "" && before.NetworkAttachmentDefinition == a.NetworkAttachmentDefinition {
		return before.MAC, nil
	}
	for i := range in.Configurations {
		if mac, found := macOf(a.Interface, configured(&in.Configurations[i])); found {
			return mac, nil
		}
	}
	return MAC(in.Machine.UID, a.Interface, in.Options.MACSet)
}

// configurationName returns the name of the NetworkConfiguration for a NetworkNamespace. The
// Machine's own NetworkNamespace has the Machine's name, by which other operators find it; another
// one's name carries that of the NetworkNamespace and eight digits of the Machine's UID. A name
// that is recorded stays.
func (in AttachInput) configurationName(networkNamespace string, recorded []vitistackv1alpha1.Attachment) string {
	ownTaken := false
	for _, a := range recorded {
		if a.NetworkNamespace == networkNamespace {
			return a.NetworkConfiguration
		}
		ownTaken = ownTaken || a.NetworkConfiguration == in.Machine.Name && a.NetworkNamespace != ""
	}
	if networkNamespace == "" || !ownTaken && networkNamespace == in.ownNetworkNamespace(networkNamespace) {
		return in.Machine.Name
	}
	return ownName(in.Machine.Name+"-"+networkNamespace, in.Machine.UID)
}

// ownNetworkNamespace returns the name of the Machine's own NetworkNamespace. Where none of its
// interfaces is on that one, otherwise is taken: a NetworkConfiguration of the Machine's name is to
// exist whatever the Machine says.
func (in AttachInput) ownNetworkNamespace(otherwise string) string {
	own := in.Machine.Spec.Network.NetworkNamespaceName
	if own == "" {
		selected, err := SelectNetworkNamespace(in.Machine, "", in.NetworkNamespaces)
		if err != nil || selected == nil {
			return otherwise
		}
		own = selected.Name
	}
	for _, entry := range in.entries() {
		if or(entry.Subnet, own) == own {
			return own
		}
	}
	return otherwise
}
