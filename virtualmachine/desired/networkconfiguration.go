package desired

import (
	"errors"
	"maps"
	"slices"
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
	// Record of the Machine's attachments, of [Attach].
	Record vitistackv1alpha1.NetworkRecord
	// Name is its name: one of [NetworkConfigurationNames].
	Name string
	// NetworkNamespace is the one that it is for, nil where that does not exist. It gives the
	// provider of a new one.
	NetworkNamespace *vitistackv1alpha1.NetworkNamespace
	// Existing is the NetworkConfiguration of that name, nil where there is none.
	Existing *vitistackv1alpha1.NetworkConfiguration
	// InUse are interfaces that the virtual machine or its running instance still has. Those of
	// Existing among them stay, also where the record has dropped them: an address that is in use
	// is not given to another Machine.
	InUse []Interface
	// Former is the UID of the Machine of this name whose virtual machine this one takes over, ""
	// for none.
	Former types.UID
	// Options of the operator.
	Options Options
}

// NetworkConfigurationNames returns the names of the NetworkConfigurations of a record, each once,
// in the order of the attachments.
func NetworkConfigurationNames(record vitistackv1alpha1.NetworkRecord) []string {
	var names []string
	for _, a := range record.Attachments {
		if !slices.Contains(names, a.NetworkConfiguration) {
			names = append(names, a.NetworkConfiguration)
		}
	}
	return names
}

// NetworkConfiguration returns one of the Machine's NetworkConfigurations: Existing with what we
// own changed, else a new one. It lives beside the Machine in the supervisor cluster. The Machine
// controls it, because other operators find it so, and our finalizer holds it: its addresses stay
// until the virtual machine is gone, however the Machine is deleted.
//
// It has the interfaces that the record gives to it, with the recorded MAC addresses: operators of
// addresses give each of them an address. An interface that only Existing has is dropped unless it
// is InUse. A provider that is set stays.
//
// A [*Refusal] of reason NetworkConfigurationConflict says that Existing belongs to another Machine
// or controller.
func NetworkConfiguration(in NetworkConfigurationInput) (*vitistackv1alpha1.NetworkConfiguration, error) {
	if in.Machine.UID == "" {
		return nil, errNoUID
	}
	if err := in.owned(); err != nil {
		return nil, err
	}
	nc := &vitistackv1alpha1.NetworkConfiguration{}
	if in.Existing != nil {
		nc = in.Existing.DeepCopy()
	}
	nc.TypeMeta = metav1.TypeMeta{APIVersion: vitistackv1alpha1.SchemeGroupVersion.String(), Kind: "NetworkConfiguration"}
	nc.Namespace, nc.Name = in.Machine.Namespace, in.Name
	if nc.Labels == nil {
		nc.Labels = map[string]string{}
	}
	maps.Copy(nc.Labels, Labels(in.Machine, in.Options))
	nc.OwnerReferences = in.ownerReferences()
	// The API server refuses a finalizer that is added to an object that is being deleted.
	if nc.DeletionTimestamp.IsZero() && !slices.Contains(nc.Finalizers, vitistackv1alpha1.FinalizerNetworkConfiguration) {
		nc.Finalizers = append(nc.Finalizers, vitistackv1alpha1.FinalizerNetworkConfiguration)
	}
	if !networkConfigurationName.MatchString(nc.Spec.Name) {
		nc.Spec.Name = NetworkConfigurationName(in.Machine.Name)
	}
	nc.Spec.Description = or(nc.Spec.Description, description(in.Machine.Name))
	nc.Spec.NetworkNamespaceName = or(in.networkNamespaceName(), nc.Spec.NetworkNamespaceName)
	if in.NetworkNamespace != nil {
		nc.Spec.Provider = or(nc.Spec.Provider, describe(in.NetworkNamespace).Provider)
	}
	nc.Spec.NetworkInterfaces = mergeInterfaces(nc.Spec.NetworkInterfaces, in.interfaces())
	return nc, nil
}

// OwnsNetworkConfiguration says whether a NetworkConfiguration is one of a Machine's, which ends
// with it.
func OwnsNetworkConfiguration(
	machine *vitistackv1alpha1.Machine, nc *vitistackv1alpha1.NetworkConfiguration, options Options,
) bool {
	return NetworkConfigurationInput{Machine: machine, Existing: nc, Options: options}.owns()
}

// owns says whether Existing is the Machine's, or its former one's.
func (in NetworkConfigurationInput) owns() bool {
	if in.Existing.Name == in.Machine.Name {
		return in.owned() == nil
	}
	labels, supervisor := in.Existing.Labels, in.Options.SupervisorUID
	return IsOurs(labels, in.Machine.UID, supervisor) || IsOurs(labels, in.Former, supervisor)
}

// owned returns an error where Existing belongs to another Machine or controller. A
// NetworkConfiguration without any mark of a Machine may be the work of a person, whose addresses
// we would give away.
func (in NetworkConfigurationInput) owned() error {
	if in.Existing == nil {
		return nil
	}
	conflict := func(why string) error {
		return refuse(vitistackv1alpha1.ReasonNetworkConfigurationConflict, "NetworkConfiguration %q %s", in.Existing.Name,
			why)
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
		return conflict("exists and does not say that it is this Machine's: delete it, or give it the label " +
			vitistackv1alpha1.LabelSourceMachine)
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
		Controller: ptr.To(true), // without blockOwnerDeletion, which needs one more right, on machines/finalizers
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

// networkNamespaceName returns the first NetworkNamespace of the interfaces that it is for, ""
// where none is known.
func (in NetworkConfigurationInput) networkNamespaceName() string {
	for _, a := range in.Record.Attachments {
		if a.NetworkConfiguration == in.Name && a.NetworkNamespace != "" {
			return a.NetworkNamespace
		}
	}
	return ""
}

// interfaces returns those of the record, and then those of Existing that are in use.
func (in NetworkConfigurationInput) interfaces() []Interface {
	var interfaces []Interface
	for _, a := range in.Record.Attachments {
		if a.NetworkConfiguration == in.Name {
			interfaces = append(interfaces, Interface{Name: a.Interface, MAC: a.MAC})
		}
	}
	for _, existing := range configured(in.Existing) {
		if _, recorded := attachmentOf(in.Record.Attachments, existing.Name); !recorded &&
			slices.Contains(in.InUse, existing) {
			interfaces = append(interfaces, existing)
		}
	}
	return interfaces
}

// mergeInterfaces keeps an existing interface as it is where name and address are the same, so that
// nothing is written for a letter's case. Where all of them exist they keep their order, too.
func mergeInterfaces(
	existing []vitistackv1alpha1.NetworkConfigurationInterface, wanted []Interface,
) []vitistackv1alpha1.NetworkConfigurationInterface {
	place := func(i Interface) int {
		return slices.IndexFunc(existing, func(e vitistackv1alpha1.NetworkConfigurationInterface) bool {
			return e.Name == i.Name
		})
	}
	if !slices.ContainsFunc(wanted, func(i Interface) bool { return place(i) < 0 }) {
		slices.SortStableFunc(wanted, func(a, b Interface) int { return place(a) - place(b) })
	}
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
