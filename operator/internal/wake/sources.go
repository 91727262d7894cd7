package wake

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// The indexes of the supervisor's cache that find Machines: by their UID, by the names of their
// MachineClass ("" for the default one), and by the NetworkNamespaces that their network record
// names. clientmgr.IndexConfig, by KubevirtConfig, is there too.
const (
	indexUID     = "metadata.uid"
	indexClass   = "machineClass"
	indexNetwork = "networkNamespace"

	// unattached is the value of indexNetwork for Machines whose networks are not decided yet.
	unattached = ""
)

// Index adds the indexes.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for field, index := range map[string]client.IndexerFunc{
		indexUID: byUID, indexClass: byClass, indexNetwork: byNetwork, clientmgr.IndexConfig: clientmgr.ByConfig,
	} {
		if err := indexer.IndexField(ctx, &vitistackv1alpha1.Machine{}, field, index); err != nil {
			return err
		}
	}
	return nil
}

func byUID(object client.Object) []string { return []string{string(object.GetUID())} }

func byClass(object client.Object) []string {
	spec := object.(*vitistackv1alpha1.Machine).Spec
	if spec.MachineClass == "" || spec.InstanceType == "" {
		return []string{spec.MachineClass + spec.InstanceType}
	}
	return []string{spec.MachineClass, spec.InstanceType}
}

// byNetwork are the NetworkNamespaces of a Machine's record. An unreadable record is none.
func byNetwork(object client.Object) []string {
	text, recorded := object.GetAnnotations()[vitistackv1alpha1.AnnotationPlacementNetwork]
	record, err := vitistackv1alpha1.ParseNetworkRecord(text)
	if !recorded || err != nil {
		return []string{unattached}
	}
	var names []string
	for _, attachment := range record.Attachments {
		names = append(names, attachment.NetworkNamespace)
	}
	return names
}

// Machines turns events into the Machines that they concern. It reads a cache and never waits: it
// is called in the goroutines that deliver the events of all clusters.
type Machines struct{ Cache client.Reader }

// OfObject is the Machine that a remote object carries the UID of. named is false for a
// VirtualMachine that the Machine's ledger does not name, while it names another one.
func (m Machines) OfObject(ctx context.Context, object client.Object) (requests []reconcile.Request, named bool) {
	uid := m.UIDOf(object)
	if uid == "" {
		return nil, true
	}
	machines := &vitistackv1alpha1.MachineList{}
	if err := m.Cache.List(ctx, machines, client.MatchingFields{indexUID: string(uid)},
		client.UnsafeDisableDeepCopy); err != nil {
		return nil, true
	}
	named = true
	for i := range machines.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&machines.Items[i])})
		_, isVM := object.(*kubevirtv1.VirtualMachine)
		named = named && (!isVM || names(&machines.Items[i], object.GetUID()))
	}
	return requests, named
}

// UIDOf is the UID of the Machine that an object says it was made for, "" for none.
func (Machines) UIDOf(object client.Object) types.UID {
	return types.UID(object.GetLabels()[vitistackv1alpha1.LabelMachineUID])
}

// names reports whether a Machine's ledger names a VirtualMachine, or none yet, or two while it is
// moved.
func names(machine *vitistackv1alpha1.Machine, vm types.UID) bool {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	return err != nil || ledger.Move != "" || ledger.VMUID == "" || ledger.VMUID == string(vm)
}

// OfConfig are the Machines in a cluster.
func (m Machines) OfConfig(ctx context.Context, config string) []reconcile.Request {
	return m.list(ctx, client.MatchingFields{clientmgr.IndexConfig: config})
}

// Unplaced are the Machines that wait for a place, whatever cluster it may be in.
func (m Machines) Unplaced(ctx context.Context, _ string) []reconcile.Request {
	return m.list(ctx, client.MatchingFields{clientmgr.IndexConfig: clientmgr.Unplaced})
}

// OfNetwork are the Machines that are attached to a NetworkNamespace, and those of its namespace
// that are not attached yet.
func (m Machines) OfNetwork(ctx context.Context, object client.Object) []reconcile.Request {
	here := client.InNamespace(object.GetNamespace())
	attached := m.list(ctx, here, client.MatchingFields{indexNetwork: object.GetName()})
	return append(attached, m.list(ctx, here, client.MatchingFields{indexNetwork: unattached})...)
}

// OfClass are the Machines of a class, and those of the default one: this may be it, or have been.
func (m Machines) OfClass(ctx context.Context, object client.Object) []reconcile.Request {
	named := m.list(ctx, client.MatchingFields{indexClass: object.GetName()})
	return append(named, m.list(ctx, client.MatchingFields{indexClass: ""})...)
}

func (m Machines) list(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	machines := &vitistackv1alpha1.MachineList{}
	if err := m.Cache.List(ctx, machines, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil // the cache is not there yet: every Machine is still to come
	}
	requests := make([]reconcile.Request, 0, len(machines.Items))
	for i := range machines.Items {
		key := types.NamespacedName{Namespace: machines.Items[i].Namespace, Name: machines.Items[i].Name}
		requests = append(requests, reconcile.Request{NamespacedName: key})
	}
	return requests
}
