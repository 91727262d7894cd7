package desired

import (
	"slices"
	"strconv"
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// takeOver returns the attachments that the virtual machine has. It is for virtual machines of
// earlier releases and for adopted ones, whose attachments nothing has recorded.
func (in AttachInput) takeOver() ([]vitistackv1alpha1.Attachment, error) {
	spec := in.VM.Spec.Template.Spec
	var attachments []vitistackv1alpha1.Attachment
	for _, nic := range spec.Domain.Devices.Interfaces {
		if nic.State == kubevirtv1.InterfaceStateAbsent {
			continue // it is being unplugged
		}
		a := vitistackv1alpha1.Attachment{Interface: nic.Name, Wanted: Unasked,
			NetworkAttachmentDefinition: in.definitionOf(nic.Name)}
		a.VLAN, _ = vlanOf(a.NetworkAttachmentDefinition)
		a.MAC, _ = ParseMAC(nic.MacAddress)
		in.findNetwork(&a)
		attachments = append(attachments, a)
	}
	in.leaveBeside(attachments)
	in.pair(attachments)
	for i := range attachments {
		if err := in.complete(i, attachments); err != nil {
			return nil, err
		}
	}
	return attachments, nil
}

// definitionOf returns the NetworkAttachmentDefinition of an interface of the virtual machine, ""
// on the pod network. The name has no namespace where that is the virtual machine's own.
func (in AttachInput) definitionOf(interfaceName string) string {
	for _, network := range in.VM.Spec.Template.Spec.Networks {
		if network.Name == interfaceName && network.Multus != nil {
			return strings.TrimPrefix(network.Multus.NetworkName, in.VM.Namespace+"/")
		}
	}
	return ""
}

// vlanOf returns the VLAN that the name of a NetworkAttachmentDefinition of ours tells.
func vlanOf(name string) (vlan int, found bool) {
	digits, found := strings.CutPrefix(name, "vlan")
	if !found {
		return 0, false
	}
	vlan, err := strconv.Atoi(digits)
	if err != nil || vlan < 0 || vlan > maxVLAN || attachmentDefinitionName(vlan) != name {
		return 0, false
	}
	return vlan, true
}

// findConfiguration fills in what the Machine's NetworkConfigurations say about an interface. It is
// the best evidence of where an interface is, because its addresses came from there. It returns
// false where they say nothing.
func (in AttachInput) findConfiguration(a *vitistackv1alpha1.Attachment) bool {
	for i := range in.Configurations {
		nc := &in.Configurations[i]
		mac, found := macOf(a.Interface, configured(nc))
		if !found || a.MAC != "" && a.MAC != mac {
			continue
		}
		a.MAC, a.NetworkConfiguration, a.NetworkNamespace = mac, nc.Name, nc.Spec.NetworkNamespaceName
		return true
	}
	return false
}

// findNetwork fills in the NetworkNamespace that an interface is on, where one fits what the
// interface has: the one of the NetworkConfiguration, else the Machine's own, else the first by
// name.
func (in AttachInput) findNetwork(a *vitistackv1alpha1.Attachment) {
	evident := in.findConfiguration(a)
	_, told := vlanOf(a.NetworkAttachmentDefinition)
	if evident && (a.NetworkNamespace != "" || !told) {
		in.takeNetwork(a, findNetworkNamespace(in.NetworkNamespaces, in.Machine.Namespace, a.NetworkNamespace))
		return
	}
	fitting := in.fitting(*a)
	if len(fitting) == 1 || len(fitting) > 1 && (told || in.names(fitting[0].Name)) {
		in.takeNetwork(a, fitting[0])
	}
}

// leaveBeside takes the NetworkNamespace from an interface on the pod network that only shares a
// NetworkConfiguration with one that is on it. Earlier releases added such a second interface once
// a NetworkNamespace appeared. Else the first one would seem to be on a network that has changed.
func (in AttachInput) leaveBeside(attachments []vitistackv1alpha1.Attachment) {
	for i := range attachments {
		a := &attachments[i]
		isBeside := func(b vitistackv1alpha1.Attachment) bool {
			return b.NetworkNamespaceUID != "" && b.NetworkAttachmentDefinition != "" && b.NetworkNamespace == a.NetworkNamespace
		}
		if a.NetworkAttachmentDefinition == "" && a.NetworkNamespaceUID == "" && slices.ContainsFunc(attachments, isBeside) {
			a.NetworkNamespace = ""
		}
	}
}

// takeNetwork fills in a NetworkNamespace that the interface may be on; nil has no effect.
func (in AttachInput) takeNetwork(a *vitistackv1alpha1.Attachment, nn *vitistackv1alpha1.NetworkNamespace) {
	if nn == nil || !onNetwork(*a, nn) {
		return
	}
	a.NetworkNamespace, a.NetworkNamespaceUID = nn.Name, nn.UID
	if _, told := vlanOf(a.NetworkAttachmentDefinition); !told && a.NetworkAttachmentDefinition != "" {
		a.VLAN = min(max(nn.Status.VlanID, 0), maxVLAN)
	}
}

// fitting returns the NetworkNamespaces that an interface may be on: those that the Machine names
// first, then by name.
func (in AttachInput) fitting(a vitistackv1alpha1.Attachment) []*vitistackv1alpha1.NetworkNamespace {
	var fitting []*vitistackv1alpha1.NetworkNamespace
	for i := range in.NetworkNamespaces {
		if nn := &in.NetworkNamespaces[i]; nn.Namespace == in.Machine.Namespace && onNetwork(a, nn) {
			fitting = append(fitting, nn)
		}
	}
	slices.SortFunc(fitting, func(x, y *vitistackv1alpha1.NetworkNamespace) int {
		if in.names(x.Name) != in.names(y.Name) {
			return map[bool]int{true: -1, false: 1}[in.names(x.Name)]
		}
		return strings.Compare(x.Name, y.Name)
	})
	return fitting
}

// names says whether the Machine names a NetworkNamespace, as its own or as the subnet of an
// interface.
func (in AttachInput) names(networkNamespace string) bool {
	network := in.Machine.Spec.Network
	return networkNamespace == or(network.NetworkNamespaceName, in.Machine.Name) ||
		slices.ContainsFunc(network.Interfaces, func(i vitistackv1alpha1.NetworkInterface) bool {
			return i.Subnet == networkNamespace
		})
}

// onNetwork says whether an interface may be on the network of a NetworkNamespace.
func onNetwork(a vitistackv1alpha1.Attachment, nn *vitistackv1alpha1.NetworkNamespace) bool {
	network, wanted := describe(nn), wantedVLAN(nn)
	vlan, told := vlanOf(a.NetworkAttachmentDefinition)
	switch {
	case told && vlan == 0:
		return network.Static && network.VLAN == 0 && wanted == 0
	case told: // earlier releases took the VLAN of the spec
		return vlan == network.VLAN || vlan == wanted
	case a.NetworkAttachmentDefinition == "":
		return network.VLAN == 0 && !network.Static && reported(nn.Status)
	default:
		return true
	}
}

// pair says which entry of the Machine asked for which interface: as the wish says that was last
// applied, else by name, then by network, then in order. Interfaces that are left were not asked
// for.
func (in AttachInput) pair(attachments []vitistackv1alpha1.Attachment) {
	entries := in.entries()
	if in.pairAsApplied(attachments, entries) {
		return
	}
	open := slices.Repeat([]bool{true}, len(entries))
	paired := make([]bool, len(attachments))
	for _, fits := range []func(first bool, entry vitistackv1alpha1.NetworkInterface, a vitistackv1alpha1.Attachment) bool{
		func(first bool, entry vitistackv1alpha1.NetworkInterface, a vitistackv1alpha1.Attachment) bool {
			return !first && entry.Name != "" && entry.Name == a.Interface
		},
		func(_ bool, entry vitistackv1alpha1.NetworkInterface, a vitistackv1alpha1.Attachment) bool {
			wanted := or(entry.Subnet, in.Machine.Spec.Network.NetworkNamespaceName)
			return a.NetworkNamespace != "" && a.NetworkNamespace == or(wanted, a.NetworkNamespace)
		},
		func(bool, vitistackv1alpha1.NetworkInterface, vitistackv1alpha1.Attachment) bool { return true },
	} {
		for i, entry := range entries {
			for j := range attachments {
				if open[i] && !paired[j] && fits(i == 0, entry, attachments[j]) {
					open[i], paired[j] = false, true
					attachments[j].Wanted, attachments[j].Subnet = entry.Name, entry.Subnet
				}
			}
		}
	}
}

// pairAsApplied pairs entries and interfaces as the wish of an earlier release lists them: one name
// an entry, in their order. It returns false where there is no such wish, where the Machine has
// changed since, or where the virtual machine has none of those names: an earlier release that
// adopted it wrote down what it would have made.
func (in AttachInput) pairAsApplied(
	attachments []vitistackv1alpha1.Attachment, entries []vitistackv1alpha1.NetworkInterface,
) bool {
	wish, err := ParseWish(in.VM.Annotations[vitistackv1alpha1.AnnotationAppliedWish])
	if err != nil || len(wish.Interfaces) != len(entries) {
		return false
	}
	for i, entry := range entries {
		if i > 0 && entry.Name != "" && entry.Name != wish.Interfaces[i] {
			return false
		}
	}
	isListed := func(a vitistackv1alpha1.Attachment) bool { return slices.Contains(wish.Interfaces, a.Interface) }
	if !slices.ContainsFunc(attachments, isListed) {
		return false
	}
	for j := range attachments {
		if i := slices.Index(wish.Interfaces, attachments[j].Interface); i >= 0 {
			attachments[j].Wanted, attachments[j].Subnet = entries[i].Name, entries[i].Subnet
		}
	}
	return true
}

// complete gives an attachment its address and NetworkConfiguration where it has none yet.
func (in AttachInput) complete(i int, attachments []vitistackv1alpha1.Attachment) (err error) {
	a := &attachments[i]
	if a.NetworkConfiguration == "" {
		var named []vitistackv1alpha1.Attachment
		for _, other := range attachments {
			if other.NetworkConfiguration != "" {
				named = append(named, other)
			}
		}
		a.NetworkConfiguration = in.configurationName(a.NetworkNamespace, named)
	}
	if a.MAC == "" {
		a.MAC, err = MAC(in.Machine.UID, a.Interface, in.Options.MACSet)
	}
	return err
}
