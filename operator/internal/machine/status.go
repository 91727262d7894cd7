package machine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// finish writes the status, if it changed, and says when to come back. It is the one place that
// writes a Machine's status and that turns a problem into a time.
func (r *MachineReconciler) finish(ctx context.Context, view report) (ctrl.Result, error) {
	key := client.ObjectKeyFromObject(view.before)
	if view.gone {
		r.forget(key)
		return ctrl.Result{}, nil
	}
	ended, failed := problem.As(view.err)
	row := r.attempt(view, ended)
	r.memory.rest.Forget(key)
	if failed && ended.Stale && row.Failed == 1 && row.Repeated < staleTries {
		r.memory.arrivals.Came(key, view.news)
		return ctrl.Result{RequeueAfter: problem.StaleRetry}, nil
	}
	if failed {
		if ended.Condition != vitistackv1alpha1.ConditionRemoteReachable { // which says itself since when contact is lost
			ended.Since = row.Since
		}
		view.Problems = append(view.Problems, ended.Problem)
	}
	if view.again > 0 && !failed { // the next reconcile keeps the books, should no event come before
		r.memory.arrivals.Came(key, view.news)
		return ctrl.Result{RequeueAfter: view.again}, nil
	}
	status := observed.Status(view.Input)
	machine, later, err := r.writeStatus(ctx, view, status)
	if err != nil || later > 0 {
		r.memory.arrivals.Came(key, view.news)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	wait := wake.Soonest(observed.HoldRemaining(view.Input), later, view.later, r.warn(machine, view, status))
	if failed {
		wait = wake.Soonest(wait, max(row.Due.Sub(view.Now), ended.After), r.memory.unanswered.remaining(key, view.Now))
	}
	r.remember(view, machine, wait)
	return ctrl.Result{RequeueAfter: wait}, nil
}

// staleTries is how often a read that is behind is repeated at once, before that counts as a
// failure like any other.
const staleTries = 5

// attempt counts a failed attempt, or ends the row of them.
func (r *MachineReconciler) attempt(view report, ended *problem.Problem) wake.Streak {
	key := client.ObjectKeyFromObject(view.before)
	if ended == nil {
		r.memory.streaks.End(key)
		r.memory.unanswered.forget(key)
		return wake.Streak{}
	}
	row := r.memory.streaks.Fail(key, asks(view.Machine), ended.Condition+"/"+ended.Reason, ended, view.Now)
	if row.Repeated == 0 && !ended.Stale {
		r.metrics.AttemptFailed(view.config, ended.Reason)
	}
	return row
}

// remember lets the Machine rest until something that this reconcile has read changes, or until
// wait is over. One without a place waits for any cluster, and one that is being deleted for
// objects that nothing watches, so that they are not remembered.
func (r *MachineReconciler) remember(view report, machine *vitistackv1alpha1.Machine, wait time.Duration) {
	key := client.ObjectKeyFromObject(machine)
	if view.config == "" || view.unseen || !machine.DeletionTimestamp.IsZero() {
		return
	}
	state, _ := r.KubevirtClientMgr.State(view.config)
	footprint := wake.Footprint{Machine: machine.ResourceVersion, Reads: view.reads, Config: view.config,
		Since: state.Since}
	if wait > 0 {
		footprint.Due = view.Now.Add(wait)
	}
	r.memory.rest.Remember(key, footprint)
}

// writeStatus writes a status that differs from the one there is. It returns the Machine as it is
// then, and after how long a change is to be written that can wait.
func (r *MachineReconciler) writeStatus(
	ctx context.Context, view report, status vitistackv1alpha1.MachineStatus,
) (machine *vitistackv1alpha1.Machine, later time.Duration, err error) {
	before := view.Machine
	if !observed.Changed(before.Status, status) || passes(view, before.Status, status) {
		return before, 0, nil
	}
	if isSmall(before.Status, status) {
		if later := r.memory.pace.Remaining(before.UID, view.Now); later > 0 {
			return before, later, nil
		}
	}
	key := client.ObjectKeyFromObject(before)
	if row, refused := r.memory.unwritten.Of(key, asks(before)); refused && view.Now.Before(row.Due) {
		return before, row.Due.Sub(view.Now), nil
	}
	written := before.DeepCopy()
	written.Status = status
	// The patch is guarded, because conditions of others are in the same list.
	err = r.Status().Patch(ctx, written, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) {
		return before, problem.StaleRetry, nil
	}
	if answer := apierrors.APIStatus(nil); errors.As(err, &answer) {
		r.memory.unwritten.Fail(key, asks(before), "", err, view.Now)
	}
	if err != nil {
		return before, 0, client.IgnoreNotFound(err)
	}
	r.memory.unwritten.End(key)
	r.memory.pace.Wrote(before.UID, view.Now)
	if !view.news.IsZero() && view.config != "" {
		r.metrics.StatusWritten(view.config, r.clock.Now().Sub(view.news))
	}
	r.tell(ctx, written, before.Status, status)
	return written, 0, nil
}

// passes reports whether a Machine that is being moved only passes through a phase, on its way down or
// up again: its status says that it is moved, and the MachineMove says the rest.
func passes(view report, before, after vitistackv1alpha1.MachineStatus) bool {
	was, is := before.Condition(vitistackv1alpha1.ConditionReady), after.Condition(vitistackv1alpha1.ConditionReady)
	moving := view.Ledger != nil && view.Ledger.Move != "" && was != nil && is != nil &&
		was.Reason == vitistackv1alpha1.ReasonMoving && is.Reason == was.Reason && is.Message == was.Message
	const stopped = vitistackv1alpha1.MachinePhaseStopped
	return moving && (after.Phase != stopped || before.Phase == stopped)
}

// isSmall reports whether a change of a status can wait a moment: no person and no program decides
// by it, or it is over in a moment, as for a guest that has just begun to run and that KubeVirt has
// not called ready yet.
func isSmall(before, after vitistackv1alpha1.MachineStatus) bool {
	was, is := before.Condition(vitistackv1alpha1.ConditionReady), after.Condition(vitistackv1alpha1.ConditionReady)
	if is != nil && is.Reason == vitistackv1alpha1.ReasonGuestNotReady {
		return true
	}
	return was != nil && is != nil && was.Status == is.Status && before.Phase == after.Phase
}

// tell logs a change of Ready, and makes an Event when the guest comes up.
func (r *MachineReconciler) tell(
	ctx context.Context, machine *vitistackv1alpha1.Machine, before, after vitistackv1alpha1.MachineStatus,
) {
	was, is := before.Condition(vitistackv1alpha1.ConditionReady), after.Condition(vitistackv1alpha1.ConditionReady)
	if is == nil || was != nil && was.Reason == is.Reason && was.Message == is.Message {
		return
	}
	log.FromContext(ctx).Info("Machine status changed", "phase", after.Phase, "reason", is.Reason, "message", is.Message)
	if is.Reason == vitistackv1alpha1.ReasonReady && after.Phase == vitistackv1alpha1.MachinePhaseRunning {
		r.event(machine, eventNormal, "Running", "Observe", "the virtual machine runs")
	}
}

// warn makes an Event of what has been wrong for a while, whoever found it. It returns when to look
// again, 0 for not.
func (r *MachineReconciler) warn(
	machine *vitistackv1alpha1.Machine, view report, status vitistackv1alpha1.MachineStatus,
) time.Duration {
	key := client.ObjectKeyFromObject(machine)
	next, warning, again := r.memory.tellings.of(key).Next(view.before.Status, status, r.settings.Observed, view.Now)
	r.memory.tellings.keep(key, next)
	if warning != nil {
		r.event(machine, eventWarning, warning.Reason, "Reconcile", warning.Message)
	}
	return again
}

const (
	eventNormal  = corev1.EventTypeNormal
	eventWarning = corev1.EventTypeWarning
	// maxNote is the longest note that the API server takes in an Event, in bytes.
	maxNote = 1024
)

// event records something that happened to the Machine. note is in the past tense and has nothing
// of a Secret in it.
func (r *MachineReconciler) event(machine *vitistackv1alpha1.Machine, kind, reason, action, note string) {
	if r.recorder == nil {
		return
	}
	r.recorder.Eventf(machine, nil, kind, reason, action, "%s", cut(note))
}

// cut shortens a note to what the API server takes, between two characters.
func cut(note string) string {
	if len(note) <= maxNote {
		return note
	}
	return strings.ToValidUTF8(note[:maxNote], "")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
