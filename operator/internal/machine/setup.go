package machine

import (
	"context"
	"time"

	"github.com/go-logr/logr"
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
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

// ControllerOptions tune the controller. The zero value works.
type ControllerOptions struct {
	// MaxConcurrentReconciles is the number of Machines worked on at once. Default: 16.
	MaxConcurrentReconciles int
	// Watcher is told of Machines that come and go. Default: none is.
	Watcher *wake.Watcher
	// Cache is what events are mapped by. Default: the manager's.
	Cache client.Reader
}

// Back-off of Machines whose status could not be written because the supervisor gave no answer. One
// that it refuses has the back-off of memory.unwritten.
const (
	backoffMin = 50 * time.Millisecond
	backoffMax = 5 * time.Minute
)

// SetupWithManager lets mgr run the reconciler: it is woken by Machines and what belongs to them,
// and by the remote clusters.
func (r *MachineReconciler) SetupWithManager(mgr ctrl.Manager, options ControllerOptions) error {
	if err := wake.Index(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if options.MaxConcurrentReconciles == 0 {
		options.MaxConcurrentReconciles = 16
	}
	if options.Cache == nil {
		options.Cache = mgr.GetCache()
	}
	if err := r.payer.SetupWithManager(mgr); err != nil {
		return err
	}
	machines := wake.Machines{Cache: options.Cache}
	return r.listenToConsent(ctrl.NewControllerManagedBy(mgr)).
		For(&vitistackv1alpha1.Machine{}, builder.WithPredicates(listening(options.Watcher))).
		Owns(&vitistackv1alpha1.NetworkConfiguration{}).
		Watches(&vitistackv1alpha1.MachineClass{}, handler.EnqueueRequestsFromMapFunc(machines.OfClass),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&vitistackv1alpha1.NetworkNamespace{}, handler.EnqueueRequestsFromMapFunc(machines.OfNetwork),
			builder.WithPredicates(networkChanged())).
		WatchesRawSource(r.KubevirtClientMgr.Source(clientmgr.EventHandler{Object: r.ofObject(machines),
			State: machines.Unplaced, Backlog: machines.OfConfig})).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: options.MaxConcurrentReconciles,
			LogConstructor:          logConstructor(mgr),
			NewQueue:                wake.NewQueue[reconcile.Request],
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](backoffMin,
				backoffMax),
		}).
		Complete(r)
}

// ofObject finds the Machine that a remote object carries the UID of. A VirtualMachine that its
// ledger does not name may be a copy.
func (r *MachineReconciler) ofObject(
	machines wake.Machines,
) func(context.Context, string, client.Object) []reconcile.Request {
	return func(ctx context.Context, config string, object client.Object) []reconcile.Request {
		r.payer.Notice(config, object)
		requests, named := machines.OfObject(ctx, object)
		now := r.clock.Now()
		for _, request := range requests {
			r.memory.arrivals.Came(request.NamespacedName, now)
		}
		if !named {
			r.memory.copies.Saw(machines.UIDOf(object))
		}
		return requests
	}
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

// networkChanged leaves out events of NetworkNamespaces that change nothing that a Machine is
// attached by: operators of addresses write into their status at each allocation.
func networkChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isBefore := e.ObjectOld.(*vitistackv1alpha1.NetworkNamespace)
		after, isAfter := e.ObjectNew.(*vitistackv1alpha1.NetworkNamespace)
		return !isBefore || !isAfter || before.Generation != after.Generation ||
			before.Status.VlanID != after.Status.VlanID || before.Status.Phase != after.Status.Phase ||
			before.Status.IPv4Prefix != after.Status.IPv4Prefix || before.Status.IPv6Prefix != after.Status.IPv6Prefix
	}}
}

// listening lets every event of a Machine through and tells the Watcher of it.
func listening(w *wake.Watcher) predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			if machine, ok := e.Object.(*vitistackv1alpha1.Machine); ok && w != nil {
				w.Created(machine, e.IsInInitialList)
			}
			return true
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			if machine, ok := e.ObjectNew.(*vitistackv1alpha1.Machine); ok && w != nil {
				w.Changed(machine)
			}
			return true
		},
		DeleteFunc: func(e event.DeleteEvent) bool {
			if machine, ok := e.Object.(*vitistackv1alpha1.Machine); ok && w != nil {
				w.Deleted(machine)
			}
			return true
		},
	}
}
