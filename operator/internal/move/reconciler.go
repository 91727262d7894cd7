package move

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Reconciler moves Machines. Its methods are safe for concurrent use; its fields are not to be
// changed once it runs.
type Reconciler struct {
	// Supervisor writes to the supervisor; its reads may come from a cache. Live reads past it.
	Supervisor client.Client
	Live       client.Reader
	// Clusters are the remote clusters.
	Clusters clientmgr.RemoteClusters
	// Targets says which clusters a Machine may go to.
	Targets Targets
	// Warden remembers what must never run again, Payer what is owed.
	Warden *removal.Warden
	Payer  *removal.Payer
	// Events takes what is told, nil for nobody.
	Events events.EventRecorder
	// Turn says what a move that could begin waits for all the same, "" for nothing. nil lets all begin.
	// Left takes back that one had its turn and did not begin.
	Turn func(ctx context.Context, wish *vitistackv1alpha1.MachineMove) (held string, err error)
	Left func(wish *vitistackv1alpha1.MachineMove)
	// Ended is told how a move ended and how long it took, nil for nobody.
	Ended func(from, to string, phase vitistackv1alpha1.MovePhase, took time.Duration)
	// Selector chooses the Machines that are looked after, nil for all.
	Selector labels.Selector
	// Owns says which Machines are this process's, nil for all; nil asks about one that is gone.
	Owns func(machine *vitistackv1alpha1.Machine) bool
	// Options of what is made.
	Options desired.Options
	Clock   clock.PassiveClock

	facts  survey.Facts
	memory memory
}

// mostActs bounds what one reconcile does before others get their turn.
const mostActs = 20

// Reconcile brings the moves of one Machine on, as far as that is possible now.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	wishes, err := r.wishes(ctx, request)
	if err != nil {
		return ctrl.Result{}, err
	}
	if later := r.memory.tooSoon(request.NamespacedName, r.Clock.Now()); later > 0 {
		return ctrl.Result{RequeueAfter: later}, nil
	}
	if r.isOver(ctx, request, wishes) {
		r.memory.forget(request.NamespacedName)
		return ctrl.Result{}, nil
	}
	machine := &vitistackv1alpha1.Machine{}
	if err := r.Live.Get(ctx, request.NamespacedName, machine); client.IgnoreNotFound(err) != nil {
		return ctrl.Result{}, fmt.Errorf("reading Machine %s: %w", request.Name, err)
	} else if err != nil {
		machine = nil
	}
	if machine != nil && r.Selector != nil && !r.Selector.Matches(labels.Set(machine.Labels)) {
		return ctrl.Result{}, nil // another deployment's
	}
	if r.Owns != nil && !r.Owns(machine) {
		r.memory.forget(request.NamespacedName)
		return ctrl.Result{}, nil // another shard's
	}
	record, under, err := recordOf(machine)
	switch {
	case err != nil:
		log.FromContext(ctx).Error(err, "Found a move record that cannot be read; nothing is done", "machine", request.Name)
		return ctrl.Result{}, nil
	case under:
		return r.goOn(ctx, machine, record, wishes)
	}
	r.memory.forget(request.NamespacedName)
	return r.beginNext(ctx, machine, wishes)
}

// isOver reports whether all moves of a Machine have ended, so that nothing need be asked: the time at
// which one that waited would have been looked at again comes all the same. A record that the cache
// does not show yet is an event.
func (r *Reconciler) isOver(
	ctx context.Context, request ctrl.Request, wishes []vitistackv1alpha1.MachineMove,
) bool {
	isOpen := func(wish vitistackv1alpha1.MachineMove) bool { return !wish.Status.Phase.Over() }
	if len(wishes) == 0 || slices.ContainsFunc(wishes, isOpen) {
		return false
	}
	machine := &vitistackv1alpha1.Machine{}
	err := r.Supervisor.Get(ctx, request.NamespacedName, machine)
	return apierrors.IsNotFound(err) || err == nil && machine.Annotations[vitistackv1alpha1.AnnotationMove] == ""
}

func recordOf(machine *vitistackv1alpha1.Machine) (vitistackv1alpha1.MoveRecord, bool, error) {
	if machine == nil {
		return vitistackv1alpha1.MoveRecord{}, false, nil
	}
	return vitistackv1alpha1.MoveRecordOf(machine)
}

// wishes are the MachineMoves of a Machine, the oldest first.
func (r *Reconciler) wishes(ctx context.Context, request ctrl.Request) ([]vitistackv1alpha1.MachineMove, error) {
	list := &vitistackv1alpha1.MachineMoveList{}
	err := r.Supervisor.List(ctx, list, client.InNamespace(request.Namespace),
		client.MatchingFields{IndexMachine: request.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the MachineMoves of Machine %s: %w", request.Name, err)
	}
	slices.SortFunc(list.Items, func(a, b vitistackv1alpha1.MachineMove) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return list.Items, nil
}

// goOn does what is next for a move under way, until something has to be waited for.
func (r *Reconciler) goOn(
	ctx context.Context, machine *vitistackv1alpha1.Machine, record vitistackv1alpha1.MoveRecord,
	wishes []vitistackv1alpha1.MachineMove,
) (ctrl.Result, error) {
	if machine.Annotations[vitistackv1alpha1.AnnotationPaused] == "true" { // its end is looked for now and then
		return ctrl.Result{RequeueAfter: pendingAgain}, nil
	}
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithValues("move", record.Name, "from", record.From.Config,
		"to", record.To.Config))
	wish, err := r.wishOf(ctx, machine, record, wishes)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.others(ctx, wishes, record.ID, record.Name); err != nil {
		return ctrl.Result{}, err
	}
	r.memory.looks(client.ObjectKeyFromObject(machine), r.Clock.Now())
	job := &job{Reconciler: r, machine: machine, record: record, wish: wish}
	for range mostActs {
		seen, err := job.look(ctx)
		if err != nil {
			return ctrl.Result{}, err
		}
		next := seen.Next()
		log.FromContext(ctx).V(1).Info("Judged", "act", next.Act, "reason", next.Reason)
		if next.Act == moves.Wait {
			return job.wait(ctx, seen, next)
		}
		done, err := job.do(ctx, seen, next)
		if done || err != nil {
			return job.after(ctx, seen, err)
		}
	}
	return ctrl.Result{RequeueAfter: time.Millisecond}, nil
}

// job is one move under way. The Machine and the record are as the last write left them.
type job struct {
	*Reconciler
	machine *vitistackv1alpha1.Machine
	record  vitistackv1alpha1.MoveRecord
	// wish is the MachineMove, nil where it is gone.
	wish *vitistackv1alpha1.MachineMove
}

// wishOf is the MachineMove of a record, nil where the API server says that it is gone.
func (r *Reconciler) wishOf(
	ctx context.Context, machine *vitistackv1alpha1.Machine, record vitistackv1alpha1.MoveRecord,
	wishes []vitistackv1alpha1.MachineMove,
) (*vitistackv1alpha1.MachineMove, error) {
	for i := range wishes {
		if string(wishes[i].UID) == record.ID {
			return &wishes[i], nil
		}
	}
	wish := &vitistackv1alpha1.MachineMove{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: machine.Namespace, Name: record.Name}, wish)
	switch {
	case client.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("reading MachineMove %s: %w", record.Name, err)
	case err != nil || string(wish.UID) != record.ID:
		return nil, nil
	}
	return wish, nil
}

// others tells the other MachineMoves of the Machine that they have to wait.
func (r *Reconciler) others(ctx context.Context, wishes []vitistackv1alpha1.MachineMove, id, name string) error {
	for i := range wishes {
		wish := &wishes[i]
		if string(wish.UID) == id || wish.Status.Phase.Over() {
			continue
		}
		told := telling{phase: vitistackv1alpha1.MovePhasePending, reason: vitistackv1alpha1.ReasonMoveUnderWay,
			message: fmt.Sprintf("MachineMove %s of this Machine is under way; this one begins when that is over", name)}
		if wish.Spec.Abort {
			told = telling{phase: vitistackv1alpha1.MovePhaseFailed, reason: vitistackv1alpha1.ReasonMoveAborted,
				message: "the move was given up before it began"}
		}
		if err := r.tell(ctx, wish, told); err != nil {
			return err
		}
	}
	return nil
}
