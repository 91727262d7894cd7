package machine

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// ControllerOptions tune the controller. The zero value works.
type ControllerOptions struct {
	// MaxConcurrentReconciles is the number of Machines worked on at once. Default: 16.
	MaxConcurrentReconciles int
	// Watcher is told of Machines that come and go. Default: nobody is.
	Watcher *Watcher
}

// Back-off of Machines whose reconcile failed. It ends soon enough for one that waited out an outage.
const (
	backoffMin = 50 * time.Millisecond
	backoffMax = 30 * time.Second
)

// The indexes of the supervisor's cache that find Machines by their UID, and by the names of their MachineClass, "" for the default one;
// clientmgr.IndexConfig is there too.
const (
	indexUID   = "metadata.uid"
	indexClass = "machineClass"
)

// SetupWithManager lets mgr run the reconciler: it is woken by Machines and what belongs to them, and by the remote clusters.
func (r *MachineReconciler) SetupWithManager(mgr ctrl.Manager, options ControllerOptions) error {
	indexer := mgr.GetFieldIndexer()
	for field, index := range map[string]client.IndexerFunc{indexUID: byUID, indexClass: byClass, clientmgr.IndexConfig: clientmgr.ByConfig} {
		if err := indexer.IndexField(context.Background(), &vitistackv1alpha1.Machine{}, field, index); err != nil {
			return err
		}
	}
	if options.MaxConcurrentReconciles == 0 {
		options.MaxConcurrentReconciles = 16
	}
	mine := []predicate.Predicate{changed()}
	if options.Watcher != nil {
		mine = append([]predicate.Predicate{options.Watcher.predicate()}, mine...)
	}
	if err := r.setupDebts(mgr); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&vitistackv1alpha1.Machine{}, builder.WithPredicates(mine...)).
		Owns(&vitistackv1alpha1.NetworkConfiguration{}).
		Watches(&vitistackv1alpha1.MachineClass{}, handler.EnqueueRequestsFromMapFunc(r.machinesOfClass), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&vitistackv1alpha1.NetworkNamespace{}, handler.EnqueueRequestsFromMapFunc(r.machinesOfNamespace)).
		WatchesRawSource(r.KubevirtClientMgr.Source(clientmgr.EventHandler{Object: r.machinesOfObject, State: r.machinesOfConfig})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: options.MaxConcurrentReconciles,
			LogConstructor:          logConstructor(mgr),
			UsePriorityQueue:        new(false), // in which Machines that change starve those of the first list
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](backoffMin, backoffMax),
		}).
		Complete(r)
}

// logConstructor names the Machine in each line of its reconcile.
func logConstructor(mgr ctrl.Manager) func(*reconcile.Request) logr.Logger {
	logger := mgr.GetLogger().WithName("machine")
	return func(request *reconcile.Request) logr.Logger {
		if request == nil {
			return logger
		}
		return logger.WithValues("namespace", request.Namespace, "machine", request.Name)
	}
}

// changed leaves out what changes nothing for us: a new status is our own.
func changed() predicate.Predicate {
	return predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{})
}

// predicate lets everything through and listens.
func (w *Watcher) predicate() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			if machine, ok := e.Object.(*vitistackv1alpha1.Machine); ok {
				w.Created(machine, e.IsInInitialList)
			}
			return true
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			if machine, ok := e.Object.(*vitistackv1alpha1.Machine); ok {
				w.Deleted(machine)
			}
			return true
		},
	}
}

func byUID(object client.Object) []string { return []string{string(object.GetUID())} }

func byClass(object client.Object) []string {
	spec := object.(*vitistackv1alpha1.Machine).Spec
	if spec.MachineClass == "" || spec.InstanceType == "" {
		return []string{spec.MachineClass + spec.InstanceType}
	}
	return []string{spec.MachineClass, spec.InstanceType}
}

// machinesOfObject is the Machine that a remote object was made for.
func (r *MachineReconciler) machinesOfObject(ctx context.Context, _ string, object client.Object) []reconcile.Request {
	uid := object.GetLabels()[vitistackv1alpha1.LabelMachineUID]
	if uid == "" {
		return nil
	}
	return r.requests(ctx, client.MatchingFields{indexUID: uid})
}

// machinesOfConfig are the Machines in a cluster, and those that wait for one.
func (r *MachineReconciler) machinesOfConfig(ctx context.Context, config string) []reconcile.Request {
	placed := r.requests(ctx, client.MatchingFields{clientmgr.IndexConfig: config})
	return append(placed, r.requests(ctx, client.MatchingFields{clientmgr.IndexConfig: clientmgr.Unplaced})...)
}

func (r *MachineReconciler) machinesOfNamespace(ctx context.Context, object client.Object) []reconcile.Request {
	return r.requests(ctx, client.InNamespace(object.GetNamespace()))
}

// machinesOfClass are the Machines of a class, and those of the default one: this may be it, or have been.
func (r *MachineReconciler) machinesOfClass(ctx context.Context, object client.Object) []reconcile.Request {
	named := r.requests(ctx, client.MatchingFields{indexClass: object.GetName()})
	return append(named, r.requests(ctx, client.MatchingFields{indexClass: ""})...)
}

func (r *MachineReconciler) requests(ctx context.Context, options ...client.ListOption) []reconcile.Request {
	machines := &vitistackv1alpha1.MachineList{}
	if err := r.List(ctx, machines, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil // the cache is not there yet: every Machine is still to come
	}
	requests := make([]reconcile.Request, 0, len(machines.Items))
	for _, machine := range machines.Items {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: machine.Namespace, Name: machine.Name}})
	}
	return requests
}
