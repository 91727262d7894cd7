package rollout

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
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

type (
	machine = vitistackv1alpha1.Machine
	queue   = workqueue.TypedRateLimitingInterface[reconcile.Request]
)

// SetupWithManager lets mgr run the controller. A change of a rollout's spec wakes it at once; its
// Machines, and what other rollouts and classes do, once their changes were gathered for a second.
func (c *Controller) SetupWithManager(mgr ctrl.Manager) error {
	logger := mgr.GetLogger().WithName("rollout")
	return ctrl.NewControllerManagedBy(mgr).
		Named("rollout").
		For(&vitistackv1alpha1.MachineRollout{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&vitistackv1alpha1.MachineRollout{}, c.gathering()).
		Watches(&vitistackv1alpha1.MachineClass{}, c.gathering(),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.TypedKind(c.options.Machines, &machine{}, c.ofMachine(), machineChanged())).
		WithOptions(controller.Options{
			RateLimiter: wake.Backoff(),
			LogConstructor: func(request *reconcile.Request) logr.Logger {
				if request == nil {
					return logger
				}
				return logger.WithValues("namespace", request.Namespace, "machineRollout", request.Name)
			},
		}).
		Complete(c)
}

// gathering asks for all rollouts that are not over but the object itself, a second later. The queue
// makes one of several.
func (c *Controller) gathering() handler.EventHandler {
	add := func(ctx context.Context, object client.Object, to queue) {
		c.rollouts(ctx, to, func(rollout *vitistackv1alpha1.MachineRollout) bool {
			return rollout.UID != object.GetUID()
		})
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, to queue) { add(ctx, e.Object, to) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, to queue) { add(ctx, e.ObjectNew, to) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, to queue) { add(ctx, e.Object, to) },
	}
}

// ofMachine asks for the rollouts that may choose a Machine.
func (c *Controller) ofMachine() handler.TypedEventHandler[*machine, reconcile.Request] {
	add := func(ctx context.Context, object *machine, to queue) {
		c.rollouts(ctx, to, func(rollout *vitistackv1alpha1.MachineRollout) bool {
			return rollout.Spec.AllNamespaces || rollout.Namespace == object.Namespace
		})
	}
	return handler.TypedFuncs[*machine, reconcile.Request]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*machine], to queue) { add(ctx, e.Object, to) },
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*machine], to queue) { add(ctx, e.ObjectNew, to) },
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*machine], to queue) { add(ctx, e.Object, to) },
	}
}

// rollouts asks, in a second, for those that are not over and that concern says yes to. Without any it
// costs a look at an empty cache.
func (c *Controller) rollouts(
	ctx context.Context, to queue, concern func(*vitistackv1alpha1.MachineRollout) bool,
) {
	all := &vitistackv1alpha1.MachineRolloutList{}
	if err := c.supervisor.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache is not there yet: every rollout is still to come
	}
	for i := range all.Items {
		if each := &all.Items[i]; !each.Status.Phase.Over() && concern(each) {
			to.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(each)}, gatherTime)
		}
	}
}

// machineChanged lets through what a rollout looks at.
func machineChanged() predicate.TypedPredicate[*machine] {
	return predicate.TypedFuncs[*machine]{
		UpdateFunc: func(e event.TypedUpdateEvent[*machine]) bool {
			before, after := e.ObjectOld, e.ObjectNew
			return before.Generation != after.Generation ||
				(before.DeletionTimestamp == nil) != (after.DeletionTimestamp == nil) ||
				before.Status.CPUs != after.Status.CPUs || before.Status.Memory != after.Status.Memory ||
				!slices.Equal(before.Status.Conditions, after.Status.Conditions) ||
				!maps.Equal(before.Annotations, after.Annotations) || !maps.Equal(before.Labels, after.Labels)
		},
	}
}
