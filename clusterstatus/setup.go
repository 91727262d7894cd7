package clusterstatus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// SetupWithManager lets mgr run the reconciler, and registers the metrics. It is woken by
// KubevirtConfigs, by what the client manager learns, and by Machines that are placed or go. The
// index clientmgr.IndexConfig must be in the cache of Machines.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := r.options.Registerer.Register(r.metrics); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	machines := r.options.Machines
	if machines == nil {
		machines = mgr.GetCache()
	}
	// Where there is no KubevirtConfig nothing is reconciled, and a start says so all the same.
	count := manager.RunnableFunc(func(ctx context.Context) error {
		r.tellConfigs(ctx)
		return nil
	})
	if err := mgr.Add(count); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("kubevirtconfig").
		For(&vitistackv1alpha1.KubevirtConfig{}, builder.WithPredicates(predicate.NewPredicateFuncs(r.counts))).
		WatchesRawSource(source.Kind(machines, &vitistackv1alpha1.Machine{}, r.counting(), moved())).
		WatchesRawSource(r.remotes.Source(clientmgr.EventHandler{State: r.configsNamed})).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.options.MaxConcurrentReconciles,
			LogConstructor: logConstructor(mgr), RateLimiter: backoff()}).
		Complete(r)
}

// backoff is the rate at which a reconcile that failed is tried again. controller-runtime's own
// begins with 5 milliseconds: a supervisor that refuses a status would be asked a dozen times within
// the first minute.
func backoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, 5*time.Minute)
}

// logConstructor names the KubevirtConfig in each line of its reconcile.
func logConstructor(mgr ctrl.Manager) func(*reconcile.Request) logr.Logger {
	logger := mgr.GetLogger().WithName("config")
	return func(request *reconcile.Request) logr.Logger {
		if request == nil {
			return logger
		}
		return logger.WithValues("kubevirtConfig", request.Name)
	}
}

// counts tells the KubevirtConfigs that the client manager goes by from others of the same names.
func (r *Reconciler) counts(config client.Object) bool {
	return r.options.ConfigsNamespace == "" || config.GetNamespace() == "" ||
		config.GetNamespace() == r.options.ConfigsNamespace
}

// moved lets Machines through that come, go, or are placed.
func moved() predicate.TypedPredicate[*vitistackv1alpha1.Machine] {
	const ledger = vitistackv1alpha1.AnnotationPlacement
	return predicate.TypedFuncs[*vitistackv1alpha1.Machine]{
		UpdateFunc: func(e event.TypedUpdateEvent[*vitistackv1alpha1.Machine]) bool {
			return e.ObjectOld.Annotations[ledger] != e.ObjectNew.Annotations[ledger] &&
				!slices.Equal(clientmgr.ByConfig(e.ObjectOld), clientmgr.ByConfig(e.ObjectNew))
		},
	}
}

// counting wakes the KubevirtConfig that a Machine is placed by.
func (r *Reconciler) counting() handler.TypedEventHandler[*vitistackv1alpha1.Machine, reconcile.Request] {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	return handler.TypedFuncs[*vitistackv1alpha1.Machine, reconcile.Request]{
		CreateFunc: func(ctx context.Context, e event.TypedCreateEvent[*vitistackv1alpha1.Machine], q queue) {
			r.count(ctx, q.AddAfter, e.Object)
		},
		UpdateFunc: func(ctx context.Context, e event.TypedUpdateEvent[*vitistackv1alpha1.Machine], q queue) {
			r.count(ctx, q.AddAfter, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.TypedDeleteEvent[*vitistackv1alpha1.Machine], q queue) {
			r.count(ctx, q.AddAfter, e.Object)
		},
	}
}

// count adds the KubevirtConfigs that Machines are placed by to a queue. One that is held already
// is counted anew after gatherTime: a count lists all its Machines, and many may come at once.
func (r *Reconciler) count(
	ctx context.Context, add func(reconcile.Request, time.Duration), machines ...*vitistackv1alpha1.Machine,
) {
	for _, machine := range machines {
		for _, config := range r.configsOf(ctx, machine) {
			wait := time.Duration(0)
			if config.DeletionTimestamp.IsZero() &&
				controllerutil.ContainsFinalizer(config, vitistackv1alpha1.FinalizerKubevirtConfig) {
				wait = gatherTime
			}
			add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(config)}, wait)
		}
	}
}

// configsOf are the KubevirtConfigs that a Machine is placed by, as the cache has them: read-only.
func (r *Reconciler) configsOf(
	ctx context.Context, placed *vitistackv1alpha1.Machine,
) []*vitistackv1alpha1.KubevirtConfig {
	var configs []*vitistackv1alpha1.KubevirtConfig
	for _, name := range clientmgr.ByConfig(placed) {
		configs = append(configs, r.named(ctx, name)...)
	}
	return configs
}

// configsNamed wakes the KubevirtConfigs of a name.
func (r *Reconciler) configsNamed(ctx context.Context, name string) []reconcile.Request {
	var requests []reconcile.Request
	for _, config := range r.named(ctx, name) {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(config)})
	}
	return requests
}

// named finds a KubevirtConfig by its name alone: whether it has a namespace is the definition's
// business.
func (r *Reconciler) named(ctx context.Context, name string) []*vitistackv1alpha1.KubevirtConfig {
	if namespace := r.options.ConfigsNamespace; namespace != "" {
		if found := r.get(ctx, client.ObjectKey{Namespace: namespace, Name: name}); len(found) > 0 {
			return found
		}
		return r.get(ctx, client.ObjectKey{Name: name})
	}
	list := &vitistackv1alpha1.KubevirtConfigList{}
	if err := r.supervisor.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return nil // the cache is not there yet: every KubevirtConfig is still to come
	}
	var configs []*vitistackv1alpha1.KubevirtConfig
	for i := range list.Items {
		if list.Items[i].Name == name {
			configs = append(configs, &list.Items[i])
		}
	}
	return configs
}

// get is the KubevirtConfig of a key, none where the cache has none.
func (r *Reconciler) get(ctx context.Context, key client.ObjectKey) []*vitistackv1alpha1.KubevirtConfig {
	config := &vitistackv1alpha1.KubevirtConfig{}
	if err := r.supervisor.Get(ctx, key, config); err != nil {
		return nil
	}
	return []*vitistackv1alpha1.KubevirtConfig{config}
}
