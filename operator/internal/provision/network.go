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

// Decide decides how a Machine's virtual machine is attached to networks. recorded is what was decided before, nil for nothing; it is returned
// as it is while the Machine's own spec.network is the one that it was decided for. vm is the virtual machine that exists, or nil.
func Decide(ctx context.Context, cache side.SupervisorCache, machine *vitistackv1alpha1.Machine, recorded *vitistackv1alpha1.NetworkRecord, vm *kubevirtv1.VirtualMachine, options desired.Options) (vitistackv1alpha1.NetworkRecord, error) {
	if recorded != nil && recorded.Wish == desired.NetworkWish(machine) {
		return *recorded, nil
	}
	in := desired.AttachInput{Machine: machine, Recorded: recorded, VM: vm, Options: options}
	here := client.InNamespace(machine.Namespace)
	namespaces := &vitistackv1alpha1.NetworkNamespaceList{}
	if err := cache.List(ctx, namespaces, here); err != nil {
		return vitistackv1alpha1.NetworkRecord{}, problem.Supervisor(err, problem.At{Condition: networkReady, Doing: "listing NetworkNamespaces"})
	}
	in.NetworkNamespaces = namespaces.Items
	var err error
	if in.Configurations, err = ownConfigurations(ctx, cache, machine, options); err != nil {
		return vitistackv1alpha1.NetworkRecord{}, err
	}
	record, err := desired.Attach(in)
	return record, problem.Pure(err, networkReady)
}

// ownConfigurations are the NetworkConfigurations that a Machine has already, before a network record names them.
func ownConfigurations(ctx context.Context, cache side.SupervisorCache, machine *vitistackv1alpha1.Machine, options desired.Options) ([]vitistackv1alpha1.NetworkConfiguration, error) {
	list := &vitistackv1alpha1.NetworkConfigurationList{}
	if err := cache.List(ctx, list, client.InNamespace(machine.Namespace)); err != nil {
		return nil, problem.Supervisor(err, problem.At{Condition: networkReady, Doing: "listing NetworkConfigurations"})
	}
	return slices.DeleteFunc(list.Items, func(nc vitistackv1alpha1.NetworkConfiguration) bool {
		return !desired.OwnsNetworkConfiguration(machine, &nc, options)
	}), nil
}

// NetworkNamespaces reads the NetworkNamespaces that a record names, without those that are gone.
func NetworkNamespaces(ctx context.Context, cache side.SupervisorCache, namespace string, record vitistackv1alpha1.NetworkRecord) ([]vitistackv1alpha1.NetworkNamespace, error) {
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

// Configurations makes the Machine's NetworkConfigurations what its network record says, and returns them. former is the UID of the Machine
// whose virtual machine this one takes over, "" for none.
func (j Job) Configurations(ctx context.Context, namespaces []vitistackv1alpha1.NetworkNamespace, former types.UID) ([]vitistackv1alpha1.NetworkConfiguration, error) {
	var all []vitistackv1alpha1.NetworkConfiguration
	for _, name := range desired.NetworkConfigurationNames(j.Network) {
		applied, err := j.configuration(ctx, name, namespaces, former)
		if err != nil {
			return all, err
		}
		all = append(all, *applied)
	}
	return all, nil
}

func (j Job) configuration(ctx context.Context, name string, namespaces []vitistackv1alpha1.NetworkNamespace, former types.UID) (*vitistackv1alpha1.NetworkConfiguration, error) {
	key := client.ObjectKey{Namespace: j.Machine.Namespace, Name: name}
	at := problem.At{Condition: networkReady, Doing: "writing NetworkConfiguration " + name}
	existing, err := readConfiguration(ctx, j.Supervisor.Cache, key)
	if err != nil {
		return nil, problem.Supervisor(err, at)
	}
	if existing != nil && !existing.DeletionTimestamp.IsZero() {
		return nil, j.replace(ctx, existing, at)
	}
	wanted, err := desired.NetworkConfiguration(j.configurationInput(name, namespaces, existing, former))
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
	err = j.Supervisor.Writer.Patch(ctx, wanted, client.MergeFromWithOptions(existing, client.MergeFromWithOptimisticLock{}))
	return wanted, problem.Supervisor(err, at)
}

func (j Job) configurationInput(name string, namespaces []vitistackv1alpha1.NetworkNamespace, existing *vitistackv1alpha1.NetworkConfiguration, former types.UID) desired.NetworkConfigurationInput {
	in := desired.NetworkConfigurationInput{
		Machine: j.Machine, Record: j.Network, Name: name, Existing: existing, Former: former, Options: j.Options,
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

// replace lets a NetworkConfiguration go that somebody deleted while the virtual machine lives, once nobody else holds it: the next attempt
// makes it anew, and asks for the same addresses.
func (j Job) replace(ctx context.Context, existing *vitistackv1alpha1.NetworkConfiguration, at problem.At) error {
	ours := slices.Contains(existing.Finalizers, vitistackv1alpha1.FinalizerNetworkConfiguration)
	if ours && len(existing.Finalizers) == 1 {
		if err := problem.Supervisor(Unhold(ctx, j.Supervisor.Writer, existing), at); err != nil {
			return err
		}
	}
	return problem.Time(networkReady, vitistackv1alpha1.ReasonNetworkConfigurationConflict,
		"NetworkConfiguration %s was deleted while the virtual machine uses its addresses; it is made again when it is gone", existing.Name)
}

// Unhold takes the operator's finalizer off a NetworkConfiguration: its addresses may be given to others.
func Unhold(ctx context.Context, writer client.Client, nc *vitistackv1alpha1.NetworkConfiguration) error {
	before := nc.DeepCopy()
	if !controllerutil.RemoveFinalizer(nc, vitistackv1alpha1.FinalizerNetworkConfiguration) {
		return nil
	}
	return client.IgnoreNotFound(writer.Patch(ctx, nc, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}

func readConfiguration(ctx context.Context, reader client.Reader, key client.ObjectKey) (*vitistackv1alpha1.NetworkConfiguration, error) {
	found := &vitistackv1alpha1.NetworkConfiguration{}
	err := reader.Get(ctx, key, found)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return found, err
}
