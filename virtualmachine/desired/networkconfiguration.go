package desired

import (
	"errors"
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var errNoUID = errors.New("the Machine has no UID: it was never read from a cluster")

// NetworkConfigurationInput is what a NetworkConfiguration depends on.
type NetworkConfigurationInput struct {
	// Machine that it is for.
	Machine *vitistackv1alpha1.Machine
	// Attachments of the Machine, all of them.
	Attachments []Attachment
	// NetworkNamespace is the name of the one that it is for: one of [NetworkNamespaces]. "" means that of the first interface.
	NetworkNamespace string
	// Existing is the NetworkConfiguration of the name of [NetworkConfigurationKey], nil where there is none.
	Existing *vitistackv1alpha1.NetworkConfiguration
	// Live are the interfaces of the VirtualMachine, where it exists already: see [Interfaces].
	Live []Interface
	// Former is the UID of the Machine of this name whose VirtualMachine this one takes over: what is its is this one's now. "" is none.
	Former types.UID
	// Options of the operator.
	Options Options
}

// NetworkConfiguration is the Machine's NetworkConfiguration for one NetworkNamespace: Existing with what we own changed, else a new one. It
// lives beside the Machine in the supervisor cluster, and the Machine controls it.
//
// It has the interfaces on its NetworkNamespace: operators give each of them an address from there. A MAC address comes from the
// VirtualMachine if it has that interface, else from Existing, else from the Machine's UID: an address once given is kept. Interfaces that
// only the VirtualMachine has are kept too, in the first one, because their addresses are in use; those that only Existing has are dropped. So are interfaces' other fields in spec, which have no meaning there. A provider that is set stays.
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
	key := NetworkConfigurationKey(in.Machine, in.Attachments, in.NetworkNamespace)
	nc.Namespace, nc.Name = key.Namespace, key.Name
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

// NetworkConfigurationKey is the name of a Machine's NetworkConfiguration for a NetworkNamespace: the Machine's own for that of the first
// interface, and for a further one a name that has that of the NetworkNamespace and eight digits of the Machine's UID.
func NetworkConfigurationKey(machine *vitistackv1alpha1.Machine, attachments []Attachment, networkNamespace string) types.NamespacedName {
	key := types.NamespacedName{Namespace: machine.Namespace, Name: machine.Name}
	if len(attachments) > 0 && networkNamespace != "" && networkNamespace != attachments[0].Network.NetworkNamespace {
		key.Name = ownName(machine.Name+"-"+networkNamespace, machine.UID)
	}
	return key
}

// AddInterfaces is a NetworkConfiguration with the interfaces of another one of the Machine's too, in spec and status. all may be nil. Neither
// is changed.
func AddInterfaces(all, more *vitistackv1alpha1.NetworkConfiguration) *vitistackv1alpha1.NetworkConfiguration {
	more = more.DeepCopy()
	if all == nil {
		return more
	}
	all = all.DeepCopy()
	all.Spec.NetworkInterfaces = append(all.Spec.NetworkInterfaces, more.Spec.NetworkInterfaces...)
	all.Status.NetworkInterfaces = append(all.Status.NetworkInterfaces, more.Status.NetworkInterfaces...)
	return all
}

// OwnsNetworkConfiguration says whether a NetworkConfiguration is one of a Machine's, which ends with it.
func OwnsNetworkConfiguration(machine *vitistackv1alpha1.Machine, nc *vitistackv1alpha1.NetworkConfiguration, options Options) bool {
	if nc.Name != machine.Name {
		return IsOurs(nc.Labels, machine.UID, options.SupervisorUID)
	}
	return NetworkConfigurationInput{Machine: machine, Existing: nc, Options: options}.owned() == nil
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
		if !in.isOf(controller.UID) {
			return conflict("is controlled by " + controller.Kind + " " + controller.Name)
		}
		return nil
	}
	if uid := labels[vitistackv1alpha1.LabelMachineUID]; uid != "" {
		for _, of := range []types.UID{in.Machine.UID, in.Former} {
			if IsOurs(labels, of, in.Options.SupervisorUID) {
				return nil
			}
		}
		return conflict("was made for another Machine: delete it, if that is gone for good")
	}
	source := or(labels[vitistackv1alpha1.LabelSourceMachine], labels[vitistackv1alpha1.LegacyLabelSourceMachine])
	if source != LabelValue(in.Machine.Name) {
		return conflict("exists and does not say that it is this Machine's: delete it, or give it the label " + vitistackv1alpha1.LabelSourceMachine)
	}
	return nil
}

// isOf says whether a UID is the Machine's, or its former one's.
func (in NetworkConfigurationInput) isOf(uid types.UID) bool {
	return uid == in.Machine.UID || uid == in.Former && in.Former != ""
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
		if !in.isOf(reference.UID) {
			references = append(references, reference)
		}
	}
	return append(references, ours)
}

// network is that of the first interface that it is for.
func (in NetworkConfigurationInput) network() Network {
	for _, a := range in.Attachments {
		if in.NetworkNamespace == "" || in.NetworkNamespace == a.Network.NetworkNamespace {
			return a.Network
		}
	}
	return Network{}
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
	if len(in.Attachments) > 0 && in.network().NetworkNamespace != in.Attachments[0].Network.NetworkNamespace {
		return interfaces, nil
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
