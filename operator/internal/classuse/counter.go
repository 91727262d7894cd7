package classuse

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/rollout"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	// gatherTime is how long a change waits for others.
	gatherTime = time.Second
	// interval is the least time between two counts.
	interval = 10 * time.Second
)

// Options tune a Counter. Machines is needed.
type Options struct {
	// Machines has all Machines of the supervisor.
	Machines cache.Cache
	// Ours says whether a Machine is for this operator. nil means all are.
	Ours func(machine *vitistackv1alpha1.Machine) bool
	// Desired are the settings by which classes give sizes.
	Desired desired.Options
	// Clock is the time. Default: the real one.
	Clock clock.PassiveClock
}

// Counter writes the numbers. All that changes asks for one and the same count.
type Counter struct {
	supervisor client.Client
	machines   client.Reader
	options    Options
	// last is when it was counted last, and pruned are the classes whose definition does not keep the
	// numbers. The one worker of the controller has both.
	last   time.Time
	pruned map[types.UID]bool
}

// New returns a counter for the MachineClasses of a supervisor cluster. It does no I/O.
func New(supervisor client.Client, options Options) *Counter {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Ours == nil {
		options.Ours = func(*vitistackv1alpha1.Machine) bool { return true }
	}
	return &Counter{supervisor: supervisor, machines: options.Machines, options: options, pruned: map[types.UID]bool{}}
}

// Reconcile counts, unless it did a moment ago.
func (c *Counter) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	now := c.options.Clock.Now()
	if early := c.last.Add(interval).Sub(now); early > 0 {
		return ctrl.Result{RequeueAfter: early}, nil
	}
	classes := &vitistackv1alpha1.MachineClassList{}
	if err := c.supervisor.List(ctx, classes); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing MachineClasses: %w", err)
	}
	list := &vitistackv1alpha1.MachineList{}
	if err := c.machines.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return ctrl.Result{}, fmt.Errorf("listing Machines: %w", err)
	}
	var machines []*vitistackv1alpha1.Machine
	for i := range list.Items {
		if c.options.Ours(&list.Items[i]) {
			machines = append(machines, &list.Items[i])
		}
	}
	c.last = now
	uses := count(machines, rollout.NewSizes(classes.Items, c.options.Desired))
	var failed *multierror.Error
	for i := range classes.Items {
		failed = multierror.Append(failed, c.write(ctx, &classes.Items[i], uses[classes.Items[i].Name]))
	}
	return ctrl.Result{}, failed.ErrorOrNil()
}

// write writes the use of one class, where it is another one than is told.
func (c *Counter) write(ctx context.Context, class *vitistackv1alpha1.MachineClass, now use) error {
	told, known := of(class)
	if known && told == now || c.pruned[class.UID] || class.DeletionTimestamp != nil {
		return nil
	}
	after := class.DeepCopy()
	after.Status.Machines, after.Status.Outdated = &now.machines, &now.outdated
	err := c.supervisor.Status().Patch(ctx, after, client.MergeFrom(class))
	if err != nil {
		return client.IgnoreNotFound(fmt.Errorf("patching the status of MachineClass %s: %w", class.Name, err))
	}
	if kept, known := of(after); !known || kept != now {
		c.pruned[class.UID] = true
		log.FromContext(ctx).Info("No class tells how many Machines use it: its definition does not keep the numbers",
			"class", class.Name)
	}
	return nil
}

type (
	machine = vitistackv1alpha1.Machine
	queue   = workqueue.TypedRateLimitingInterface[reconcile.Request]
)

// all is the one thing that is ever asked for.
var all = reconcile.Request{NamespacedName: types.NamespacedName{Name: "all"}}

// SetupWithManager lets mgr run the counter. Machines and classes wake it, once their changes were
// gathered for a second.
func (c *Counter) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named("classuse").
		Watches(&vitistackv1alpha1.MachineClass{}, handler.Funcs{
			CreateFunc: func(_ context.Context, _ event.CreateEvent, to queue) { to.AddAfter(all, gatherTime) },
			UpdateFunc: func(_ context.Context, _ event.UpdateEvent, to queue) { to.AddAfter(all, gatherTime) },
			DeleteFunc: func(_ context.Context, _ event.DeleteEvent, to queue) { to.AddAfter(all, gatherTime) },
		}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.TypedKind(c.options.Machines, &machine{}, handler.TypedFuncs[*machine, reconcile.Request]{
			CreateFunc: func(_ context.Context, _ event.TypedCreateEvent[*machine], to queue) { to.AddAfter(all, gatherTime) },
			UpdateFunc: func(_ context.Context, _ event.TypedUpdateEvent[*machine], to queue) { to.AddAfter(all, gatherTime) },
			DeleteFunc: func(_ context.Context, _ event.TypedDeleteEvent[*machine], to queue) { to.AddAfter(all, gatherTime) },
		}, sizeChanged())).
		WithOptions(controller.Options{MaxConcurrentReconciles: 1, RateLimiter: wake.Backoff()}).
		Complete(c)
}

// sizeChanged lets through what a count depends on.
func sizeChanged() predicate.TypedPredicate[*machine] {
	const instancetype = vitistackv1alpha1.AnnotationInstancetype
	return predicate.TypedFuncs[*machine]{
		UpdateFunc: func(e event.TypedUpdateEvent[*machine]) bool {
			before, after := e.ObjectOld, e.ObjectNew
			return before.Status.CPUs != after.Status.CPUs || before.Status.Memory != after.Status.Memory ||
				before.Generation != after.Generation ||
				(before.DeletionTimestamp == nil) != (after.DeletionTimestamp == nil) ||
				before.Annotations[instancetype] != after.Annotations[instancetype]
		},
	}
}
