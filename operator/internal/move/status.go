package move

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// telling is what people are told of a move.
type telling struct {
	phase    vitistackv1alpha1.MovePhase
	from, to string
	reason   string
	message  string
	disks    []vitistackv1alpha1.MoveDisk
	steps    []vitistackv1alpha1.MoveStep // that were begun, as far as this process saw them
}

// tell writes the status of a MachineMove, where that changed.
func (r *Reconciler) tell(ctx context.Context, wish *vitistackv1alpha1.MachineMove, told telling) error {
	if wish == nil {
		return nil
	}
	now := metav1.NewTime(r.Clock.Now().UTC().Truncate(time.Second))
	before := wish.DeepCopy()
	status := &wish.Status
	status.ObservedGeneration = wish.Generation
	if told.from != "" {
		status.From, status.To = told.from, told.to
	}
	if status.Phase != told.phase {
		status.Steps = stepped(status.Steps, told, now)
	}
	status.Phase = told.phase
	setDisks(status, told.disks)
	setConditions(wish, told)
	if equality.Semantic.DeepEqual(before.Status, wish.Status) {
		return nil
	}
	err := r.Supervisor.Status().Patch(ctx, wish,
		client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return problem.Supervisor(err,
			problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "writing the status of the move"})
	}
	if before.Status.Phase != told.phase {
		r.announce(ctx, wish, told)
	}
	return nil
}

// say tells of a move under way, with all steps that this process saw.
func (j *job) say(ctx context.Context, told telling) error {
	told.steps = j.memory.began(client.ObjectKeyFromObject(j.machine), told.phase, j.Clock.Now())
	return j.tell(ctx, j.wish, told)
}

// stepped adds the steps that were begun since the last telling, each of which ends the one before.
func stepped(steps []vitistackv1alpha1.MoveStep, told telling, now metav1.Time) []vitistackv1alpha1.MoveStep {
	steps = slices.Clone(steps)
	end := func(at metav1.Time) {
		if last := len(steps) - 1; last >= 0 && steps[last].EndedAt == nil {
			steps[last].EndedAt = &at
		}
	}
	add := func(phase vitistackv1alpha1.MovePhase, at metav1.Time) {
		begun := func(s vitistackv1alpha1.MoveStep) bool { return s.Phase == phase }
		if phase == vitistackv1alpha1.MovePhasePending || phase.Over() || slices.ContainsFunc(steps, begun) {
			return
		}
		end(at)
		steps = append(steps, vitistackv1alpha1.MoveStep{Phase: phase, StartedAt: at})
	}
	for _, step := range told.steps {
		add(step.Phase, step.StartedAt)
	}
	add(told.phase, now)
	if told.phase.Over() {
		end(now)
	}
	return steps
}

// setDisks tells how much of the disks is at the target. Without any, what was told stays.
func setDisks(status *vitistackv1alpha1.MachineMoveStatus, disks []vitistackv1alpha1.MoveDisk) {
	switch status.Phase {
	case vitistackv1alpha1.MovePhaseStarting, vitistackv1alpha1.MovePhaseCleaning, vitistackv1alpha1.MovePhaseSucceeded:
		if len(disks) == 0 {
			disks = slices.Clone(status.Disks)
		}
		for i := range disks {
			disks[i].Copied, disks[i].Phase = disks[i].Bytes, "Succeeded"
		}
	}
	if len(disks) == 0 {
		return
	}
	status.Disks, status.Bytes, status.Copied = disks, 0, 0
	for _, disk := range disks {
		status.Bytes += disk.Bytes
		status.Copied += disk.Copied
	}
	status.Progress = progress(status.Copied, status.Bytes)
}

// progress is a number of bytes of another, for people.
func progress(done, all int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	unit, size := 0, float64(1)
	for float64(all)/size >= 1024 && unit < len(units)-1 {
		size, unit = size*1024, unit+1
	}
	number := func(n int64) string {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/size), ".0")
	}
	return fmt.Sprintf("%s of %s %s", number(done), number(all), units[unit])
}

// setConditions sets Ready and Stalled. A move that is under way and waits for nobody is not stalled.
func setConditions(wish *vitistackv1alpha1.MachineMove, told telling) {
	info, _ := vitistackv1alpha1.InfoOf(told.reason)
	ready, stalled := metav1.ConditionFalse, metav1.ConditionFalse
	if told.phase == vitistackv1alpha1.MovePhaseSucceeded {
		ready = metav1.ConditionTrue
	}
	waits := told.phase == vitistackv1alpha1.MovePhaseAborting
	if told.phase == vitistackv1alpha1.MovePhaseFailed || info.Acts == vitistackv1alpha1.ActorPerson && !waits {
		stalled = metav1.ConditionTrue
	}
	for _, c := range []metav1.Condition{
		{Type: vitistackv1alpha1.ConditionReady, Status: ready}, {Type: vitistackv1alpha1.ConditionStalled, Status: stalled},
	} {
		c.Reason, c.Message, c.ObservedGeneration = told.reason, told.message, wish.Generation
		meta.SetStatusCondition(&wish.Status.Conditions, c)
	}
}

// announce tells of a phase that was begun: in the log, and as an Event of the MachineMove. The end is
// told of the Machine, too.
func (r *Reconciler) announce(ctx context.Context, wish *vitistackv1alpha1.MachineMove, told telling) {
	log.FromContext(ctx).Info("Move goes on", "phase", told.phase, "reason", told.reason, "message", told.message)
	kind := corev1.EventTypeNormal
	if told.phase == vitistackv1alpha1.MovePhaseAborting || told.phase == vitistackv1alpha1.MovePhaseFailed {
		kind = corev1.EventTypeWarning
	}
	if r.Events == nil || told.phase == vitistackv1alpha1.MovePhasePending {
		return
	}
	r.Events.Eventf(wish, nil, kind, told.reason, "Move", "%s: %s", told.phase, told.message)
	if !told.phase.Over() {
		return
	}
	machine := &vitistackv1alpha1.Machine{}
	if r.Supervisor.Get(ctx, client.ObjectKey{Namespace: wish.Namespace, Name: wish.Spec.MachineName}, machine) == nil {
		r.Events.Eventf(machine, nil, kind, told.reason, "Move", "%s", told.message)
	}
	if r.Ended != nil {
		r.Ended(wish.Status.From, wish.Status.To, told.phase, took(wish, r.Clock.Now()))
	}
}

// took is how long a move has lasted since its first step.
func took(wish *vitistackv1alpha1.MachineMove, now time.Time) time.Duration {
	if len(wish.Status.Steps) == 0 {
		return 0
	}
	return now.Sub(wish.Status.Steps[0].StartedAt.Time)
}

// tellGivenUp tells that a move is given up, and why.
func (j *job) tellGivenUp(ctx context.Context, reason, message string) error {
	if message == "" {
		message = map[string]string{
			vitistackv1alpha1.ReasonMoveAborted: "the move is given up, as was asked",
			vitistackv1alpha1.ReasonSourceStarted: "somebody started VirtualMachine " + j.record.From.VMName + " in " +
				j.record.From.Config + " while its disks were copied: the move is given up",
			vitistackv1alpha1.ReasonSourceGone: "VirtualMachine " + j.record.From.VMName + " is gone from " +
				j.record.From.Config + ", and its disks were not copied yet: the move is given up",
			vitistackv1alpha1.ReasonNameCollision: j.record.To.Config + " has a VirtualMachine " + j.record.To.VMName +
				" that this move did not make: the move is given up",
			vitistackv1alpha1.ReasonDisksDiffer: "what " + j.record.To.Config +
				" fetched is not what was offered: the move is given up",
			vitistackv1alpha1.ReasonTargetGone: "VirtualMachine " + j.record.To.VMName + " is gone from " + j.record.To.Config +
				", and a person keeps the source",
		}[reason]
	}
	return j.say(ctx, telling{phase: vitistackv1alpha1.MovePhaseAborting, from: j.record.From.Config,
		to: j.record.To.Config, reason: reason, message: message})
}

// cause is why a move is being given up, as it was told.
func (j *job) cause(now telling) (reason, message string) {
	if j.wish != nil && j.wish.Status.Phase == vitistackv1alpha1.MovePhaseAborting {
		if ready := meta.FindStatusCondition(j.wish.Status.Conditions, vitistackv1alpha1.ConditionReady); ready != nil {
			first, _, _ := strings.Cut(ready.Message, waitsFor)
			return ready.Reason, first + waitsFor + now.message
		}
	}
	return vitistackv1alpha1.ReasonMoveAborted, "the move is given up" + waitsFor + now.message
}

// waitsFor stands between why a move is given up and what that waits for.
const waitsFor = "; it waits: "

// tellEnd tells how a move ended.
func (j *job) tellEnd(ctx context.Context) error {
	told := telling{phase: vitistackv1alpha1.MovePhaseSucceeded, from: j.record.From.Config, to: j.record.To.Config,
		reason: vitistackv1alpha1.ReasonMoved, disks: j.memory.lastSeen(client.ObjectKeyFromObject(j.machine)),
		message: fmt.Sprintf("the Machine was moved from %s to %s", j.record.From.Config, j.record.To.Config)}
	if j.record.Stage == vitistackv1alpha1.MoveAborting {
		reason, message := j.cause(telling{})
		message, _, _ = strings.Cut(message, waitsFor)
		told.phase, told.reason = vitistackv1alpha1.MovePhaseFailed, reason
		told.message = strings.TrimSuffix(message, ": the move is given up") + "; the Machine is where it was, in " +
			j.record.From.Config
	}
	return j.say(ctx, told)
}
