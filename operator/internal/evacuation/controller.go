package evacuation

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

const (
	// gatherTime is how long a change waits for others, and the least time between two writes of a
	// status that nobody asked for.
	gatherTime = time.Second
	// retryAfter is when a MachineMove that the server refused is tried again.
	retryAfter = time.Minute
)

// Options tune a Controller. Machines and Server are needed.
type Options struct {
	// Machines has all Machines of the supervisor, under the index clientmgr.IndexConfig.
	Machines cache.Cache
	// Server reads the supervisor past its cache.
	Server client.Reader
	// Namespace is that of the Evacuations that count: the KubevirtConfigs'. "" means all.
	Namespace string
	// Events takes the Events. nil means that there are none.
	Events events.EventRecorder
	// Clock is the time. Default: the real one.
	Clock clock.PassiveClock
}

// Controller carries Evacuations out.
type Controller struct {
	supervisor client.Client
	machines   client.Reader
	options    Options
}

// New returns a controller for the Evacuations of a supervisor cluster. It does no I/O.
func New(supervisor client.Client, options Options) *Controller {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	return &Controller{supervisor: supervisor, machines: options.Machines, options: options}
}

// Reconcile begins the moves of an Evacuation for which there is room, and tells how far it is.
func (c *Controller) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	evacuation := &vitistackv1alpha1.Evacuation{}
	if err := c.supervisor.Get(ctx, request.NamespacedName, evacuation); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if evacuation.DeletionTimestamp != nil || !c.counts(evacuation) {
		return ctrl.Result{}, nil
	}
	facts, err := c.facts(ctx, evacuation)
	if err != nil {
		return ctrl.Result{}, err
	}
	decision := Decide(facts)
	if decision.Room > 0 {
		if facts, err = c.begin(ctx, facts); err != nil {
			return ctrl.Result{}, err
		}
		decision = Decide(facts)
	}
	if err := c.report(ctx, evacuation, decision); err != nil {
		if apierrors.IsConflict(err) { // the cache is behind
			return ctrl.Result{RequeueAfter: gatherTime}, nil
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	switch {
	case len(facts.Refused) > 0:
		return ctrl.Result{RequeueAfter: retryAfter}, nil
	case decision.Settling:
		return ctrl.Result{RequeueAfter: settleTime}, nil
	}
	return ctrl.Result{}, nil
}

// facts reads the caches.
func (c *Controller) facts(ctx context.Context, evacuation *vitistackv1alpha1.Evacuation) (Facts, error) {
	f := Facts{Evacuation: evacuation, Now: c.options.Clock.Now()}
	chosen := labels.Everything()
	if evacuation.Spec.Selector != nil {
		selector, err := metav1.LabelSelectorAsSelector(evacuation.Spec.Selector)
		if err != nil {
			chosen = labels.Nothing() // never more than was meant
			log.FromContext(ctx).Error(err, "Evacuation chooses no Machine: its selector cannot be read")
		} else {
			chosen = selector
		}
	}
	here := &vitistackv1alpha1.MachineList{}
	err := c.machines.List(ctx, here, client.UnsafeDisableDeepCopy,
		client.MatchingFields{clientmgr.IndexConfig: evacuation.Spec.Config})
	if err != nil {
		return f, fmt.Errorf("listing the Machines of %s: %w", evacuation.Spec.Config, err)
	}
	for i := range here.Items {
		if chosen.Matches(labels.Set(here.Items[i].Labels)) {
			f.Here = append(f.Here, &here.Items[i])
		}
	}
	moves := &vitistackv1alpha1.MachineMoveList{}
	if err := c.supervisor.List(ctx, moves, client.UnsafeDisableDeepCopy); err != nil {
		return f, fmt.Errorf("listing MachineMoves: %w", err)
	}
	for i := range moves.Items {
		if move := &moves.Items[i]; belongs(move, evacuation) || !move.Status.Phase.Over() {
			f.Moves = append(f.Moves, move)
		}
	}
	return f, c.away(ctx, &f)
}

// away reads the Machines that were moved, where it matters how they are.
func (c *Controller) away(ctx context.Context, f *Facts) error {
	if f.Evacuation.Spec.MaxUnavailable == nil {
		return nil
	}
	here := map[types.NamespacedName]bool{}
	for _, machine := range f.Here {
		here[client.ObjectKeyFromObject(machine)] = true
	}
	for _, move := range f.Moves {
		key := keyOf(move.Namespace, move.Spec.MachineName)
		if !belongs(move, f.Evacuation) || here[key] {
			continue
		}
		here[key] = true
		machine := &vitistackv1alpha1.Machine{}
		switch err := c.machines.Get(ctx, key, machine, client.UnsafeDisableDeepCopy); {
		case err == nil:
			f.Away = append(f.Away, machine)
		case !apierrors.IsNotFound(err):
			return fmt.Errorf("reading Machine %s: %w", key, err)
		}
	}
	return nil
}

// begin makes MachineMoves for the first Machines of the queue, as many as there is room for. The
// ones that there are already are read from the server: the cache may not have all of them. It
// returns the facts as they are afterwards.
func (c *Controller) begin(ctx context.Context, f Facts) (Facts, error) {
	live := &vitistackv1alpha1.MachineMoveList{}
	err := c.options.Server.List(ctx, live,
		client.MatchingLabels{vitistackv1alpha1.LabelEvacuation: string(f.Evacuation.UID)})
	if err != nil {
		return f, fmt.Errorf("listing the MachineMoves of Evacuation %s: %w", f.Evacuation.Name, err)
	}
	f.Moves, f.Refused = withLive(f, live.Items), map[types.UID]string{}
	decision := Decide(f)
	var failed *multierror.Error
	for _, machine := range decision.Queue {
		if decision.Room == 0 {
			break
		}
		move := MoveFor(f.Evacuation, machine)
		switch err := c.supervisor.Create(ctx, move); {
		case err == nil:
			log.FromContext(ctx).Info("Began a move", "namespace", machine.Namespace, "machine", machine.Name,
				"machineMove", move.Name)
			f.Moves = append(f.Moves, move)
			decision.Room--
		case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsNotFound(err), apierrors.IsAlreadyExists(err):
			// This Machine's namespace does not take it; others' may.
			f.Refused[machine.UID] = "its MachineMove cannot be made: " + err.Error()
		default:
			failed = multierror.Append(failed, fmt.Errorf("making MachineMove %s/%s: %w", move.Namespace, move.Name, err))
			return f, failed
		}
	}
	return f, nil
}

// withLive are the facts' MachineMoves with those of the Evacuation as the server has them.
func withLive(f Facts, live []vitistackv1alpha1.MachineMove) []*vitistackv1alpha1.MachineMove {
	var moves []*vitistackv1alpha1.MachineMove
	for _, move := range f.Moves {
		if !belongs(move, f.Evacuation) {
			moves = append(moves, move)
		}
	}
	for i := range live {
		moves = append(moves, &live[i])
	}
	return moves
}

// report writes the status where it says something new, and tells of a new phase.
func (c *Controller) report(ctx context.Context, evacuation *vitistackv1alpha1.Evacuation, d Decision) error {
	after := evacuation.DeepCopy()
	after.Status = d.Status
	after.Status.Conditions = summary.Conditions(evacuation.Status.Conditions, summary.Said{
		Ready: d.Status.Phase == vitistackv1alpha1.EvacuationSucceeded, Stalled: d.Stalled(), Reason: d.Reason,
		Message: d.Message, Generation: evacuation.Generation,
	}, c.options.Clock.Now())
	if apiequality.Semantic.DeepEqual(evacuation.Status, after.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(evacuation, client.MergeFromWithOptimisticLock{})
	former := evacuation.Status
	if err := c.supervisor.Status().Patch(ctx, after, patch); err != nil {
		return fmt.Errorf("patching the status of Evacuation %s: %w", evacuation.Name, err)
	}
	c.tell(after, former)
	return nil
}
