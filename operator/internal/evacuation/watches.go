package evacuation

import (
	"context"
	"maps"
	"slices"

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
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

type (
	machine = vitistackv1alpha1.Machine
	queue   = workqueue.TypedRateLimitingInterface[reconcile.Request]
)

// SetupWithManager lets mgr run the controller. A change of an Evacuation's spec wakes it at once;
// its MachineMoves, and the Machines of its cluster, once their changes were gathered for a second.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	logger := mgr.GetLogger().WithName("evacuation")
	return ctrl.NewControllerManagedBy(mgr).
		Named("evacuation").
		For(&vitistackv1alpha1.Evacuation{},
			builder.WithPredicates(predicate.GenerationChangedPredicate{}, predicate.NewPredicateFuncs(c.counts))).
		Watches(&vitistackv1alpha1.MachineMove{}, gathering(c.ofMove)).
		WatchesRawSource(source.TypedKind(c.options.Machines, &machine{}, c.ofMachine(), machineChanged())).
		WithOptions(controller.Options{
			RateLimiter: wake.Backoff(),
			LogConstructor: func(request *reconcile.Request) logr.Logger {
				if request == nil {
					return logger
				}
				return logger.WithValues("evacuation", request.Name)
			},
		}).
		Complete(c)
}

func (c *Controller) counts(evacuation client.Object) bool {
	return c.options.Namespace == "" || evacuation.GetNamespace() == c.options.Namespace
}

// gathering asks for what find names of an object, a second later. The queue makes one of several.
func gathering(find func(context.Context, client.Object) []reconcile.Request) handler.EventHandler {
	add := func(ctx context.Context, object client.Object, to queue) {
		for _, request := range find(ctx, object) {
			to.AddAfter(request, gatherTime)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, to queue) { add(ctx, e.Object, to) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, to queue) { add(ctx, e.ObjectNew, to) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, to queue) { add(ctx, e.Object, to) },
	}
}

// ofMove are the Evacuations that a MachineMove concerns: the one that it belongs to, else those of
// the cluster that its Machine leaves.
func (c *Controller) ofMove(ctx context.Context, object client.Object) []reconcile.Request {
	move := object.(*vitistackv1alpha1.MachineMove)
	return c.evacuations(ctx, func(evacuation *vitistackv1alpha1.Evacuation) bool {
		return belongs(move, evacuation) ||
			move.Labels[vitistackv1alpha1.LabelEvacuation] == "" && move.Status.From == evacuation.Spec.Config
	})
}

// ofMachine asks for the Evacuations of the cluster that a Machine is in, or was in, and for those
// that look at Machines elsewhere too.
func (c *Controller) ofMachine() handler.TypedEventHandler[*machine, reconcile.Request] {
	add := func(ctx context.Context, to queue, configs ...string) {
		requests := c.evacuations(ctx, func(evacuation *vitistackv1alpha1.Evacuation) bool {
			return slices.Contains(configs, evacuation.Spec.Config) || evacuation.Spec.MaxUnavailable != nil &&
				evacuation.Status.Phase == vitistackv1alpha1.EvacuationMoving
		})
		for _, request := range requests {
			to.AddAfter(request, gatherTime)
		}
	}
	return handler.TypedFuncs[*machine, reconcile.Request]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*machine], to queue) {
			add(ctx, to, clientmgr.ByConfig(e.Object)...)
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*machine], to queue) {
			add(ctx, to, slices.Concat(clientmgr.ByConfig(e.ObjectOld), clientmgr.ByConfig(e.ObjectNew))...)
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*machine], to queue) {
			add(ctx, to, clientmgr.ByConfig(e.Object)...)
		},
	}
}

// evacuations are those that concern says yes to. Without any it costs a look at an empty cache.
func (c *Controller) evacuations(
	ctx context.Context, concern func(*vitistackv1alpha1.Evacuation) bool,
) []reconcile.Request {
	all := &vitistackv1alpha1.EvacuationList{}
	if err := c.supervisor.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache is not there yet: every Evacuation is still to come
	}
	var requests []reconcile.Request
	for i := range all.Items {
		if each := &all.Items[i]; c.counts(each) && concern(each) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(each)})
		}
	}
	return requests
}

// machineChanged lets through what an Evacuation looks at: place, labels, deletion, and Ready.
func machineChanged() predicate.TypedPredicate[*machine] {
	const ledger = vitistackv1alpha1.AnnotationPlacement
	ready := func(m *machine) bool {
		condition := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		return condition != nil && condition.Status == "True"
	}
	return predicate.TypedFuncs[*machine]{
		UpdateFunc: func(e event.TypedUpdateEvent[*machine]) bool {
			return e.ObjectOld.Annotations[ledger] != e.ObjectNew.Annotations[ledger] ||
				(e.ObjectOld.DeletionTimestamp == nil) != (e.ObjectNew.DeletionTimestamp == nil) ||
				ready(e.ObjectOld) != ready(e.ObjectNew) || !maps.Equal(e.ObjectOld.Labels, e.ObjectNew.Labels)
		},
	}
}
