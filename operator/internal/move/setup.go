package move

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
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

// IndexMachine is the index of a cache that finds MachineMoves by the name of their Machine.
const IndexMachine = "spec.machineName"

// Index adds the index.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	return indexer.IndexField(ctx, &vitistackv1alpha1.MachineMove{}, IndexMachine, func(object client.Object) []string {
		return []string{object.(*vitistackv1alpha1.MachineMove).Spec.MachineName}
	})
}

// concurrent is how many moves are worked on at once. Each waits most of the time.
const concurrent = 16

// SetupWithManager lets mgr run the reconciler: it is woken by MachineMoves, by Machines that are
// being moved, and by what these have in the remote clusters.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := Index(context.Background(), mgr.GetFieldIndexer()); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).Named("machinemove").
		For(&vitistackv1alpha1.Machine{}, builder.WithPredicates(r.moved())).
		Watches(&vitistackv1alpha1.MachineMove{}, handler.EnqueueRequestsFromMapFunc(machineOf)).
		WatchesRawSource(r.Clusters.Source(clientmgr.EventHandler{Object: r.ofObject})).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrent, RateLimiter: wake.Backoff(),
			UsePriorityQueue: new(false)}).
		Complete(r)
}

func machineOf(_ context.Context, object client.Object) []reconcile.Request {
	wish, isMove := object.(*vitistackv1alpha1.MachineMove)
	if !isMove {
		return nil
	}
	return []reconcile.Request{
		{NamespacedName: types.NamespacedName{Namespace: wish.Namespace, Name: wish.Spec.MachineName}},
	}
}

// ofObject is the Machine of a remote object, where that is being moved. For all others it costs a
// look into a map.
func (r *Reconciler) ofObject(_ context.Context, _ string, object client.Object) []reconcile.Request {
	key, moving := r.memory.of(types.UID(object.GetLabels()[vitistackv1alpha1.LabelMachineUID]))
	if !moving {
		return nil
	}
	return []reconcile.Request{{NamespacedName: key}}
}

// moved lets Machines through that are being moved: one that begins to be deleted, or is gone, is news
// for its move, and so is the record, which another process may have written. What else the move
// writes is not.
func (r *Reconciler) moved() predicate.Predicate {
	under := func(machine client.Object) bool {
		return machine.GetAnnotations()[vitistackv1alpha1.AnnotationMove] != ""
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool {
			if under(e.Object) {
				r.memory.moving(e.Object.GetUID(), client.ObjectKeyFromObject(e.Object))
			}
			return under(e.Object)
		},
		UpdateFunc: func(e event.UpdateEvent) bool {
			begins := !under(e.ObjectOld) && under(e.ObjectNew)
			return begins || (under(e.ObjectOld) || under(e.ObjectNew)) &&
				e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
		},
		DeleteFunc:  func(e event.DeleteEvent) bool { return under(e.Object) },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
