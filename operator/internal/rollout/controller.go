package rollout

import (
	"context"
	"fmt"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// gatherTime is how long a change waits for others, and the least time between two writes of a status
// with which nothing begins.
const gatherTime = time.Second

// Options tune a Controller. Machines and Server are needed.
type Options struct {
	// Machines has all Machines of the supervisor.
	Machines cache.Cache
	// Server reads the supervisor past its cache.
	Server client.Reader
	// Namespace is that of the KubevirtConfigs, in which a rollout may choose in all namespaces. "" means
	// any.
	Namespace string
	// Ours says whether a Machine is for this operator. nil means all are.
	Ours func(machine *vitistackv1alpha1.Machine) bool
	// Desired are the settings by which classes give sizes.
	Desired desired.Options
	// Self is the name under which this process writes to Machines otherwise, in their managedFields.
	Self string
	// Events takes the Events. nil means that there are none.
	Events events.EventRecorder
	// Clock is the time. Default: the real one.
	Clock clock.PassiveClock
}

// Controller carries MachineRollouts out.
type Controller struct {
	supervisor client.Client
	machines   client.Reader
	options    Options
}

// New returns a controller for the MachineRollouts of a supervisor cluster. It does no I/O.
func New(supervisor client.Client, options Options) *Controller {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	if options.Ours == nil {
		options.Ours = func(*vitistackv1alpha1.Machine) bool { return true }
	}
	return &Controller{supervisor: supervisor, machines: options.Machines, options: options}
}

// Reconcile begins the Machines of a rollout for which there is room, and tells how far it is. It
// writes down which ones begin before it asks them.
func (c *Controller) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	rollout := &vitistackv1alpha1.MachineRollout{}
	if err := c.supervisor.Get(ctx, request.NamespacedName, rollout); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if rollout.DeletionTimestamp != nil ||
		rollout.Status.Phase.Over() && rollout.Status.ObservedGeneration == rollout.Generation {
		return ctrl.Result{}, nil
	}
	facts, err := c.facts(ctx, rollout)
	if err != nil {
		return ctrl.Result{}, err
	}
	decision := Decide(facts)
	written, err := c.report(ctx, rollout, decision)
	if err != nil {
		return c.behind(err)
	}
	changed, err := c.ask(ctx, written, decision.Doubtful, facts)
	if err != nil {
		return c.behind(err)
	}
	if changed {
		return ctrl.Result{RequeueAfter: gatherTime}, nil
	}
	return c.again(decision), nil
}

// behind is the result of an error. A conflict says that the cache is behind.
func (c *Controller) behind(err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: gatherTime}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

func (c *Controller) again(decision Decision) ctrl.Result {
	if decision.Again.IsZero() {
		return ctrl.Result{}
	}
	return ctrl.Result{RequeueAfter: max(gatherTime, decision.Again.Sub(c.options.Clock.Now()))}
}

// facts reads the caches.
func (c *Controller) facts(ctx context.Context, rollout *vitistackv1alpha1.MachineRollout) (Facts, error) {
	facts := Facts{Rollout: rollout, ConfigsNamespace: c.options.Namespace, Now: c.options.Clock.Now()}
	if rollout.Status.Phase.Over() {
		return facts, nil
	}
	within := client.InNamespace(rollout.Namespace)
	if rollout.Spec.AllNamespaces {
		within = client.InNamespace(metav1.NamespaceAll)
	}
	machines := &vitistackv1alpha1.MachineList{}
	if err := c.machines.List(ctx, machines, within, client.UnsafeDisableDeepCopy); err != nil {
		return facts, fmt.Errorf("listing Machines: %w", err)
	}
	for i := range machines.Items {
		if machine := &machines.Items[i]; c.options.Ours(machine) {
			facts.Machines = append(facts.Machines, machine)
		}
	}
	rollouts := &vitistackv1alpha1.MachineRolloutList{}
	if err := c.supervisor.List(ctx, rollouts, client.UnsafeDisableDeepCopy); err != nil {
		return facts, fmt.Errorf("listing MachineRollouts: %w", err)
	}
	for i := range rollouts.Items {
		facts.Others = append(facts.Others, &rollouts.Items[i])
	}
	classes := &vitistackv1alpha1.MachineClassList{}
	if err := c.supervisor.List(ctx, classes); err != nil {
		return facts, fmt.Errorf("listing MachineClasses: %w", err)
	}
	facts.Sizes = NewSizes(classes.Items, c.options.Desired)
	return facts, nil
}

// report writes the status where it says something new, and tells of it. It returns the rollout as it
// is then. The write fails where the status is not the one that was decided on.
func (c *Controller) report(
	ctx context.Context, rollout *vitistackv1alpha1.MachineRollout, d Decision,
) (*vitistackv1alpha1.MachineRollout, error) {
	after := rollout.DeepCopy()
	after.Status = d.Status
	if !rollout.Status.Phase.Over() {
		after.Status.Conditions = summary.Conditions(rollout.Status.Conditions, summary.Said{
			Ready: d.Status.Phase == vitistackv1alpha1.RolloutSucceeded, Stalled: stalled(d.Status.Phase), Reason: d.Reason,
			Message: d.Message, Generation: rollout.Generation,
		}, c.options.Clock.Now())
	}
	if apiequality.Semantic.DeepEqual(rollout.Status, after.Status) {
		return after, nil
	}
	if err := c.write(ctx, rollout, after); err != nil {
		return nil, err
	}
	c.tell(after, rollout.Status, d.Begin)
	for _, machine := range d.Begin {
		log.FromContext(ctx).Info("Began a Machine", "machine", machine, "action", after.Spec.Action)
	}
	return after, nil
}

// write writes the status of a rollout that was read as before.
func (c *Controller) write(ctx context.Context, before, after *vitistackv1alpha1.MachineRollout) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.supervisor.Status().Patch(ctx, after, patch); err != nil {
		return fmt.Errorf("patching the status of MachineRollout %s/%s: %w", before.Namespace, before.Name, err)
	}
	return nil
}
