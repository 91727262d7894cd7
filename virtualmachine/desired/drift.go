package desired

import (
	"fmt"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// NetworkDrift returns one sentence that names where the NetworkNamespaces of a Machine's namespace
// now say something else than its record, and "" where they agree. The virtual machine stays as the
// record says. The sentence is the same for the same difference, whatever the order of the list.
func NetworkDrift(
	record vitistackv1alpha1.NetworkRecord, networkNamespaces []vitistackv1alpha1.NetworkNamespace,
) string {
	var differences []string
	for _, a := range record.Attachments {
		if a.NetworkNamespace == "" {
			continue
		}
		if difference := driftOf(a, networkNamespaces); difference != "" && !slices.Contains(differences, difference) {
			differences = append(differences, difference)
		}
	}
	if len(differences) == 0 {
		return ""
	}
	return strings.Join(differences, "; ") + "; the virtual machine keeps its interfaces as they are"
}

func driftOf(a vitistackv1alpha1.Attachment, networkNamespaces []vitistackv1alpha1.NetworkNamespace) string {
	named := func(nn vitistackv1alpha1.NetworkNamespace) bool { return nn.Name == a.NetworkNamespace }
	i := slices.IndexFunc(networkNamespaces, named)
	if i < 0 {
		return fmt.Sprintf("NetworkNamespace %q is gone", a.NetworkNamespace)
	}
	nn := &networkNamespaces[i]
	now := describe(nn)
	silent := now.VLAN == 0 && (!reported(nn.Status) || wantedVLAN(nn) == a.VLAN) // its status tells no VLAN yet
	switch {
	case now.VLAN != a.VLAN && !silent:
		return fmt.Sprintf("NetworkNamespace %q now has %s, and interface %q was made on %s",
			a.NetworkNamespace, vlanText(now.VLAN), a.Interface, vlanText(a.VLAN))
	case a.NetworkNamespaceUID != "" && nn.UID != "" && nn.UID != a.NetworkNamespaceUID:
		return fmt.Sprintf("NetworkNamespace %q is another object of the same name", a.NetworkNamespace)
	default:
		return ""
	}
}

func vlanText(vlan int) string {
	if vlan == 0 {
		return "no VLAN"
	}
	return fmt.Sprintf("VLAN %d", vlan)
}
