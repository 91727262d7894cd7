package provision

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const networkReady = vitistackv1alpha1.ConditionNetworkReady

// Question is what the decision about a Machine's networks depends on.
type Question struct {
	Machine *vitistackv1alpha1.Machine
	// Recorded is what was decided before, nil for nothing.
	Recorded *vitistackv1alpha1.NetworkRecord
	// VM is the virtual machine that exists, nil for none.
	VM *kubevirtv1.VirtualMachine
	// Former is the UID of the Machine that VM was made for, "" for none.
	Former  types.UID
	Options desired.Options
}

// Decide decides how a Machine's virtual machine is attached to networks. What was recorded is
// returned as it is, without a read, while the Machine's own spec.network is the one that it was
// decided for.
func Decide(ctx context.Context, cache side.SupervisorCache, q Question) (vitistackv1alpha1.NetworkRecord, error) {
	if q.Recorded != nil && q.Recorded.Wish == desired.NetworkWish(q.Machine) {
		return *q.Recorded, nil
	}
	in := desired.AttachInput{Machine: q.Machine, Recorded: q.Recorded, VM: q.VM, Former: q.Former, Options: q.Options}
	here := client.InNamespace(q.Machine.Namespace)
	namespaces := &vitistackv1alpha1.NetworkNamespaceList{}
	if err := cache.List(ctx, namespaces, here); err != nil {
		return vitistackv1alpha1.NetworkRecord{},
			problem.Supervisor(err, problem.At{Condition: networkReady, Doing: "listing NetworkNamespaces"})
	}
	var err error
	if in.Configurations, err = ConfigurationsOf(ctx, cache, q.Machine, q.Former); err != nil {
		return vitistackv1alpha1.NetworkRecord{},
			problem.Supervisor(err, problem.At{Condition: networkReady, Doing: "listing NetworkConfigurations"})
	}
	in.NetworkNamespaces = namespaces.Items
	record, err := desired.Attach(in)
	return record, problem.Pure(err, networkReady)
}

// ConfigurationsOf reads the NetworkConfigurations that may be a Machine's, or those of its former
// one ("" for none): the one of its name and those with its label. Whether they are is for
// [desired.OwnsNetworkConfiguration] to say.
func ConfigurationsOf(
	ctx context.Context, reader client.Reader, machine *vitistackv1alpha1.Machine, former types.UID,
) ([]vitistackv1alpha1.NetworkConfiguration, error) {
	var found []vitistackv1alpha1.NetworkConfiguration
	named := vitistackv1alpha1.NetworkConfiguration{}
	err := reader.Get(ctx, client.ObjectKeyFromObject(machine), &named)
	switch {
	case err == nil:
		found = append(found, named)
	case !apierrors.IsNotFound(err):
		return nil, err
	}
	for _, uid := range []types.UID{machine.UID, former} {
		if uid == "" {
			continue
		}
		list := &vitistackv1alpha1.NetworkConfigurationList{}
		labelled := client.MatchingLabels{vitistackv1alpha1.LabelMachineUID: desired.LabelValue(string(uid))}
		if err := reader.List(ctx, list, client.InNamespace(machine.Namespace), labelled); err != nil {
			return nil, err
		}
		for i := range list.Items {
			if list.Items[i].Name != machine.Name {
				found = append(found, list.Items[i])
			}
		}
	}
	return found, nil
}

// NetworkNamespaces reads the NetworkNamespaces that a record names, without those that are gone.
func NetworkNamespaces(
	ctx context.Context, cache side.SupervisorCache, namespace string, record vitistackv1alpha1.NetworkRecord,
) ([]vitistackv1alpha1.NetworkNamespace, error) {
	var found []vitistackv1alpha1.NetworkNamespace
	var names []string
	for _, attachment := range record.Attachments {
		if name := attachment.NetworkNamespace; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		read := vitistackv1alpha1.NetworkNamespace{}
		err := cache.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &read)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, problem.Supervisor(err, problem.At{Condition: networkReady, Doing: "reading NetworkNamespace " + name})
		default:
			found = append(found, read)
		}
	}
	return found, nil
}

// Use is who uses the addresses of a Machine's NetworkConfigurations.
type Use struct {
	// InUse are the interfaces that the virtual machine and its running instance have now.
	InUse []desired.Interface
	// Former is the UID of the Machine whose virtual machine this one takes over, "" for none.
	Former types.UID
}

// InUse are the interfaces of a virtual machine and of its running instance. Both may be nil.
func InUse(vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance) []desired.Interface {
	all := desired.Interfaces(vm)
	if vmi != nil {
		spec := &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: vmi.Spec}
		running := &kubevirtv1.VirtualMachine{Spec: kubevirtv1.VirtualMachineSpec{Template: spec}}
		all = append(all, desired.Interfaces(running)...)
	}
	return all
}

// Configurations makes the Machine's NetworkConfigurations what its network record says, and
// returns them.
func (j Job) Configurations(
	ctx context.Context, namespaces []vitistackv1alpha1.NetworkNamespace, use Use,
) ([]vitistackv1alpha1.NetworkConfiguration, error) {
	var all []vitistackv1alpha1.NetworkConfiguration
	for _, name := range desired.NetworkConfigurationNames(j.Network) {
		applied, err := j.configuration(ctx, name, namespaces, use)
		if err != nil {
			return all, err
		}
		all = append(all, *applied)
	}
	return all, nil
}

func (j Job) configuration(
	ctx context.Context, name string, namespaces []vitistackv1alpha1.NetworkNamespace, use Use,
) (*vitistackv1alpha1.NetworkConfiguration, error) {
	key := client.ObjectKey{Namespace: j.Machine.Namespace, Name: name}
	at := problem.At{Condition: networkReady, Doing: "writing NetworkConfiguration " + name}
	existing, err := readConfiguration(ctx, j.Supervisor.Cache, key)
	if err != nil {
		return nil, problem.Supervisor(err, at)
	}
	if existing != nil && !existing.DeletionTimestamp.IsZero() {
		return nil, j.replace(ctx, existing, at)
	}
	wanted, err := desired.NetworkConfiguration(j.configurationInput(name, namespaces, existing, use))
	if err != nil {
		return nil, problem.Pure(err, networkReady)
	}
	if existing == nil {
		return wanted, problem.Supervisor(j.Supervisor.Writer.Create(ctx, wanted), at)
	}
	existing.TypeMeta = wanted.TypeMeta
	if equality.Semantic.DeepEqual(existing, wanted) {
		return existing, nil
	}
	// The patch is guarded, because it replaces the list of owner references as a whole.
	err = j.Supervisor.Writer.Patch(ctx, wanted,
		client.MergeFromWithOptions(existing, client.MergeFromWithOptimisticLock{}))
	return wanted, problem.Supervisor(err, at)
}

func (j Job) configurationInput(
	name string, namespaces []vitistackv1alpha1.NetworkNamespace, existing *vitistackv1alpha1.NetworkConfiguration,
	use Use,
) desired.NetworkConfigurationInput {
	in := desired.NetworkConfigurationInput{
		Machine: j.Machine, Record: j.Network, Name: name, Existing: existing, InUse: use.InUse, Former: use.Former,
		Options: j.Options,
	}
	for _, attachment := range j.Network.Attachments {
		for i := range namespaces {
			if attachment.NetworkConfiguration == name && namespaces[i].Name == attachment.NetworkNamespace {
				in.NetworkNamespace = &namespaces[i]
			}
		}
	}
	return in
}

// replace lets a NetworkConfiguration go that somebody deleted while the virtual machine lives,
// once nobody else holds it: the next attempt makes it anew, and asks for the same addresses.
func (j Job) replace(ctx context.Context, existing *vitistackv1alpha1.NetworkConfiguration, at problem.At) error {
	ours := slices.Contains(existing.Finalizers, vitistackv1alpha1.FinalizerNetworkConfiguration)
	if ours && len(existing.Finalizers) == 1 {
		if err := problem.Supervisor(Unhold(ctx, j.Supervisor.Writer, existing), at); err != nil {
			return err
		}
	}
	return problem.Time(networkReady, vitistackv1alpha1.ReasonNetworkConfigurationConflict,
		"NetworkConfiguration %s was deleted while the virtual machine uses its addresses; it is made again when it is gone",
		existing.Name)
}

// Unhold takes the operator's finalizer off a NetworkConfiguration: its addresses may be given to
// others.
func Unhold(ctx context.Context, writer client.Client, nc *vitistackv1alpha1.NetworkConfiguration) error {
	before := nc.DeepCopy()
	if !controllerutil.RemoveFinalizer(nc, vitistackv1alpha1.FinalizerNetworkConfiguration) {
		return nil
	}
	return client.IgnoreNotFound(writer.Patch(ctx, nc,
		client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}

func readConfiguration(
	ctx context.Context, reader client.Reader, key client.ObjectKey,
) (*vitistackv1alpha1.NetworkConfiguration, error) {
	found := &vitistackv1alpha1.NetworkConfiguration{}
	err := reader.Get(ctx, key, found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}

// RecordedNetwork reads the Machine's network record, nil where it has none. One that cannot be read
// is decided anew from what the virtual machine has, so it counts as none.
func RecordedNetwork(machine *vitistackv1alpha1.Machine) *vitistackv1alpha1.NetworkRecord {
	text, written := machine.Annotations[vitistackv1alpha1.AnnotationPlacementNetwork]
	if !written {
		return nil
	}
	record, err := vitistackv1alpha1.ParseNetworkRecord(text)
	if err != nil {
		return nil
	}
	return &record
}
