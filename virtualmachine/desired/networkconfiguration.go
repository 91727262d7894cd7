package desired

import (
	"errors"
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

var errNoUID = errors.New("the Machine has no UID: it was never read from a cluster")

// NetworkConfigurationInput is what a NetworkConfiguration depends on.
type NetworkConfigurationInput struct {
	// Machine that it is for.
	Machine *vitistackv1alpha1.Machine
	// Attachments of the Machine.
	Attachments []Attachment
	// Existing is the NetworkConfiguration of the Machine's name, nil where there is none.
	Existing *vitistackv1alpha1.NetworkConfiguration
	// Live are the interfaces of the VirtualMachine, where it exists already: see [Interfaces].
	Live []Interface
	// Options of the operator.
	Options Options
}

// NetworkConfiguration is the Machine's NetworkConfiguration: Existing with what we own changed, else a new one. It lives beside the
// Machine in the supervisor cluster, and the Machine controls it.
//
// It has the interfaces on the NetworkNamespace of the first one, whose name it has: operators give each of them an address from there.
// A MAC address comes from the VirtualMachine if it has that interface, else from Existing, else from the Machine's UID: an address
// once given is kept. Interfaces that only the VirtualMachine has are kept too, because their addresses are in use; those that only
// Existing has are dropped. So are interfaces' other fields in spec, which have no meaning there. A provider that is set stays.
//
// A [*Refusal] of reason NetworkConfigurationConflict says that Existing is somebody else's.
func NetworkConfiguration(in NetworkConfigurationInput) (*vitistackv1alpha1.NetworkConfiguration, error) {
	if in.Machine.UID == "" {
		return nil, errNoUID
	}
	if err := in.owned(); err != nil {
		return nil, err
	}
	interfaces, err := in.interfaces()
	if err != nil {
		return nil, err
	}
	nc := &vitistackv1alpha1.NetworkConfiguration{}
	if in.Existing != nil {
		nc = in.Existing.DeepCopy()
	}
	nc.TypeMeta = metav1.TypeMeta{APIVersion: vitistackv1alpha1.SchemeGroupVersion.String(), Kind: "NetworkConfiguration"}
	nc.Namespace, nc.Name = in.Machine.Namespace, in.Machine.Name
	if nc.Labels == nil {
		nc.Labels = map[string]string{}
	}
	maps.Copy(nc.Labels, Labels(in.Machine, in.Options))
	nc.OwnerReferences = in.ownerReferences()
	if !networkConfigurationName.MatchString(nc.Spec.Name) {
		nc.Spec.Name = NetworkConfigurationName(in.Machine.Name)
	}
	nc.Spec.Description = or(nc.Spec.Description, description(in.Machine.Name))
	network := in.network()
	nc.Spec.NetworkNamespaceName = network.NetworkNamespace
	nc.Spec.Provider = or(nc.Spec.Provider, network.Provider)
	nc.Spec.NetworkInterfaces = mergeInterfaces(nc.Spec.NetworkInterfaces, interfaces)
	return nc, nil
}

// owned returns an error where Existing belongs to another Machine or controller. One without any mark of a Machine may be the work
// of a person, whose addresses we would give away.
func (in NetworkConfigurationInput) owned() error {
	if in.Existing == nil {
		return nil
	}
	conflict := func(why string) error {
		return refuse(vitistackv1alpha1.ReasonNetworkConfigurationConflict, "NetworkConfiguration %q %s", in.Existing.Name, why)
	}
	labels := in.Existing.Labels
	if controller := metav1.GetControllerOf(in.Existing); controller != nil {
		if controller.UID != in.Machine.UID {
			return conflict("is controlled by " + controller.Kind + " " + controller.Name)
		}
		return nil
	}
	if uid := labels[vitistackv1alpha1.LabelMachineUID]; uid != "" {
		if !IsOurs(labels, in.Machine.UID, in.Options.SupervisorUID) {
			return conflict("was made for another Machine")
		}
		return nil
	}
	source := or(labels[vitistackv1alpha1.LabelSourceMachine], labels[vitistackv1alpha1.LegacyLabelSourceMachine])
	if source != LabelValue(in.Machine.Name) {
		return conflict("exists and does not say that it is this Machine's: delete it, or give it the label " + vitistackv1alpha1.LabelSourceMachine)
	}
	return nil
}

// ownerReferences are those of Existing, and the Machine as controller.
func (in NetworkConfigurationInput) ownerReferences() []metav1.OwnerReference {
	ours := metav1.OwnerReference{
		APIVersion: vitistackv1alpha1.SchemeGroupVersion.String(),
		Kind:       "Machine",
		Name:       in.Machine.Name,
		UID:        in.Machine.UID,
		Controller: ptr.To(true), // it does not block the Machine's end: that would ask for one more right, on machines/finalizers
	}
	if in.Existing == nil {
		return []metav1.OwnerReference{ours}
	}
	var references []metav1.OwnerReference
	for _, reference := range in.Existing.DeepCopy().OwnerReferences {
		if reference.UID != in.Machine.UID {
			references = append(references, reference)
		}
	}
	return append(references, ours)
}

// network is that of the first interface.
func (in NetworkConfigurationInput) network() Network {
	if len(in.Attachments) == 0 {
		return Network{}
	}
	return in.Attachments[0].Network
}

func (in NetworkConfigurationInput) interfaces() ([]Interface, error) {
	var interfaces []Interface
	attached := map[string]bool{}
	for _, a := range in.Attachments {
		attached[a.Name] = true
		if a.Network.NetworkNamespace != in.network().NetworkNamespace {
			continue
		}
		mac, err := macFor(in.Machine, a.Name, in.Options, in.Live, configured(in.Existing))
		if err != nil {
			return nil, err
		}
		interfaces = append(interfaces, Interface{Name: a.Name, MAC: mac})
	}
	for _, live := range in.Live {
		if !attached[live.Name] {
			interfaces = append(interfaces, live)
		}
	}
	return interfaces, nil
}

// mergeInterfaces keeps an existing interface as it is where name and address are the same, so that nothing is written for a letter's case.
func mergeInterfaces(existing []vitistackv1alpha1.NetworkConfigurationInterface, wanted []Interface) []vitistackv1alpha1.NetworkConfigurationInterface {
	merged := make([]vitistackv1alpha1.NetworkConfigurationInterface, 0, len(wanted))
	for _, w := range wanted {
		next := vitistackv1alpha1.NetworkConfigurationInterface{Name: w.Name, MacAddress: w.MAC}
		for _, e := range existing {
			if mac, ok := ParseMAC(e.MacAddress); ok && e.Name == w.Name && mac == w.MAC {
				next = *e.DeepCopy()
				break
			}
		}
		merged = append(merged, next)
	}
	return merged
}

// description fits into the 256 characters of the field: a Machine's name has at most 253.
func description(machineName string) string {
	text := "Network of " + machineName
	return strings.TrimSpace(text[:min(len(text), 256)])
}
