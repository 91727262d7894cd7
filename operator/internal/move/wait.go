package move

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// phaseOf is the phase that a reason to wait belongs to.
func (j *job) phaseOf(next moves.Next) vitistackv1alpha1.MovePhase {
	switch {
	case j.record.Stage == vitistackv1alpha1.MoveAborting:
		return vitistackv1alpha1.MovePhaseAborting
	case j.record.Stage == vitistackv1alpha1.MoveBegun:
		switch next.Reason {
		case vitistackv1alpha1.ReasonExporting, vitistackv1alpha1.ReasonCopying:
			return vitistackv1alpha1.MovePhaseCopying
		case vitistackv1alpha1.ReasonSourceStopping:
			return vitistackv1alpha1.MovePhaseStopping
		}
		return j.lastPhase(vitistackv1alpha1.MovePhaseStopping)
	case next.Reason == vitistackv1alpha1.ReasonTargetStarting:
		return vitistackv1alpha1.MovePhaseStarting
	case next.Reason == vitistackv1alpha1.ReasonCleaningUp, next.Reason == vitistackv1alpha1.ReasonSourceStopping,
		next.Reason == vitistackv1alpha1.ReasonSourceStarted:
		return vitistackv1alpha1.MovePhaseCleaning
	default:
		return j.lastPhase(vitistackv1alpha1.MovePhaseStarting)
	}
}

// lastPhase is what was told last, where that is of the present stage, else first.
func (j *job) lastPhase(first vitistackv1alpha1.MovePhase) vitistackv1alpha1.MovePhase {
	of := map[vitistackv1alpha1.MoveStage][]vitistackv1alpha1.MovePhase{
		vitistackv1alpha1.MoveBegun:     {vitistackv1alpha1.MovePhaseStopping, vitistackv1alpha1.MovePhaseCopying},
		vitistackv1alpha1.MoveCommitted: {vitistackv1alpha1.MovePhaseStarting, vitistackv1alpha1.MovePhaseCleaning},
	}
	if j.wish != nil && slices.Contains(of[j.record.Stage], j.wish.Status.Phase) {
		return j.wish.Status.Phase
	}
	return first
}

// wait tells what is waited for, and says when to look again. A step that takes too long gives the
// move up, where it may be given up.
func (j *job) wait(ctx context.Context, seen sight, next moves.Next) (ctrl.Result, error) {
	told := telling{phase: j.phaseOf(next), from: j.record.From.Config, to: j.record.To.Config, reason: next.Reason,
		message: j.message(seen, next), disks: seen.target.disks}
	if next.Reason == vitistackv1alpha1.ReasonCopying && seen.target.failing != "" {
		told.reason, told.message = vitistackv1alpha1.ReasonImportFailing, seen.target.failing
	}
	j.memory.began(client.ObjectKeyFromObject(j.machine), told.phase, j.Clock.Now())
	since := j.memory.same(client.ObjectKeyFromObject(j.machine), shows(told), j.Clock.Now())
	waited := j.Clock.Now().Sub(since)
	if begun := j.begunAt(told.phase); next.Reason != vitistackv1alpha1.ReasonCopying && !begun.IsZero() {
		waited = j.Clock.Now().Sub(begun)
	}
	if j.record.Stage == vitistackv1alpha1.MoveBegun {
		switch limit := j.limit(next.Reason); {
		case next.Reason == vitistackv1alpha1.ReasonExporting && seen.source.internal:
			return j.afterGivingUp(ctx, seen, vitistackv1alpha1.ReasonExportUnavailable, onlyInside(j.record.From.Config))
		case limit > 0 && waited >= limit:
			return j.afterGivingUp(ctx, seen, vitistackv1alpha1.ReasonTimedOut,
				fmt.Sprintf("%s, for longer than %s", told.message, limit))
		}
	}
	if next.Reason == vitistackv1alpha1.ReasonCopying {
		if err := j.complete(ctx, seen, seen.target.vm); err != nil { // a process may have ended before that
			return j.after(ctx, seen, err)
		}
	}
	if j.record.Stage == vitistackv1alpha1.MoveAborting {
		told.reason, told.message = j.cause(told)
	}
	if j.isNews(told, j.Clock.Now().Sub(since)) {
		if err := j.say(ctx, told); err != nil {
			return j.after(ctx, seen, err)
		}
	}
	return ctrl.Result{RequeueAfter: poll(waited)}, nil
}

// What changes by itself is told once it has lasted for settleTime, and progress at most each
// progressTime: most steps are over before anybody could read that they began.
const (
	settleTime   = 2 * time.Second
	progressTime = 5 * time.Second
)

// isNews reports whether something is to be told now. lasted is for how long it shows the same.
func (j *job) isNews(told telling, lasted time.Duration) bool {
	if j.wish == nil {
		return false
	}
	before := j.wish.Status
	ready := meta.FindStatusCondition(before.Conditions, vitistackv1alpha1.ConditionReady)
	info, _ := vitistackv1alpha1.InfoOf(told.reason)
	switch {
	case ready == nil || before.To == "" || before.Phase == vitistackv1alpha1.MovePhasePending:
		return true
	case ready.Reason != told.reason && (info.Acts == vitistackv1alpha1.ActorPerson || !isOrdinary(told.reason)):
		return true
	case told.phase == vitistackv1alpha1.MovePhaseCleaning: // the guest runs again: nobody waits for this
		return lasted >= progressTime
	case before.Phase != told.phase:
		return lasted >= settleTime
	default:
		return j.memory.due(client.ObjectKeyFromObject(j.machine), progressTime, j.Clock.Now())
	}
}

// isOrdinary says that every move passes through a reason.
func isOrdinary(reason string) bool {
	return slices.Contains([]string{
		vitistackv1alpha1.ReasonSourceStopping, vitistackv1alpha1.ReasonExporting, vitistackv1alpha1.ReasonCopying,
		vitistackv1alpha1.ReasonTargetStarting, vitistackv1alpha1.ReasonCleaningUp,
	}, reason)
}

func (j *job) afterGivingUp(ctx context.Context, seen sight, reason, message string) (ctrl.Result, error) {
	return j.after(ctx, seen, j.giveUp(ctx, reason, message))
}

// shows is what has to stay the same for a step to count as standing still.
func shows(told telling) string {
	text := string(told.phase)
	for _, disk := range told.disks {
		text += fmt.Sprintf(" %s=%s/%d", disk.Claim, disk.Phase, disk.Copied)
	}
	return text
}

// begunAt is when a phase began, by the status, zero where that is not told.
func (j *job) begunAt(phase vitistackv1alpha1.MovePhase) time.Time {
	if j.wish == nil {
		return time.Time{}
	}
	for _, step := range j.wish.Status.Steps {
		if step.Phase == phase && step.EndedAt == nil {
			return step.StartedAt.Time
		}
	}
	return time.Time{}
}

// limit is how long a reason to wait may last, 0 for ever.
func (j *job) limit(reason string) time.Duration {
	var limits vitistackv1alpha1.MoveTimeouts
	if j.wish != nil {
		limits = j.wish.Spec.Timeouts
	}
	given := func(d *metav1.Duration, otherwise time.Duration) time.Duration {
		if d == nil || d.Duration <= 0 {
			return otherwise
		}
		return d.Duration
	}
	switch reason {
	case vitistackv1alpha1.ReasonSourceStopping:
		return given(limits.Stop, 5*time.Minute)
	case vitistackv1alpha1.ReasonExporting:
		return given(limits.Export, 5*time.Minute)
	case vitistackv1alpha1.ReasonCopying:
		return given(limits.Copy, 15*time.Minute)
	default:
		return 0
	}
}

// longestWait bounds how long nobody looks at a move that waits.
const longestWait = 5 * time.Minute

// poll is when to look again at something that has been waited for. What is cached of both clusters
// wakes the move sooner.
func poll(waited time.Duration) time.Duration {
	return min(max(waited/10, time.Second), longestWait)
}

// message is a sentence for what is waited for.
func (j *job) message(seen sight, next moves.Next) string {
	from, to := j.record.From.Config, j.record.To.Config
	text := map[string]string{
		vitistackv1alpha1.ReasonSourceStopping: "the guest shuts down in " + from,
		vitistackv1alpha1.ReasonExporting:      from + " prepares to offer the disks",
		vitistackv1alpha1.ReasonCopying:        to + " fetches the disks",
		vitistackv1alpha1.ReasonTargetStarting: "the guest starts in " + to,
		vitistackv1alpha1.ReasonCleaningUp:     "what is left in " + from + " is being deleted",
		vitistackv1alpha1.ReasonSourceSilent:   from + " gives no answer" + because(seen.source.silence),
		vitistackv1alpha1.ReasonTargetSilent:   to + " gives no answer" + because(seen.target.silence),
		vitistackv1alpha1.ReasonSourceStarted: "VirtualMachine " + j.record.From.VMName + " in " + from +
			" was started after its disks were copied, and may have what the target lacks",
		vitistackv1alpha1.ReasonTargetGone: "VirtualMachine " + j.record.To.VMName + " is gone from " + to +
			"; that in " + from + " is still there, off, with the disks as they were copied",
	}[next.Reason]
	if next.Reason == vitistackv1alpha1.ReasonExporting && seen.source.export != nil && seen.source.export.Status != nil {
		for _, c := range seen.source.export.Status.Conditions {
			if c.Message != "" {
				text += ": " + c.Message
			}
		}
	}
	if len(next.Keep) > 0 {
		var sides []string
		for _, side := range next.Keep {
			sides = append(sides, "spec.keep: "+string(side))
		}
		text += "; " + strings.Join(sides, " or ") + " on the MachineMove says which disks count"
	}
	return text
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// hindered tells what a cluster or the supervisor has against an act.
func (j *job) hindered(ctx context.Context, seen sight, p *problem.Problem) (ctrl.Result, error) {
	told := telling{phase: j.phaseOf(moves.Next{Reason: p.Reason}), from: j.record.From.Config, to: j.record.To.Config,
		reason: p.Reason, message: p.Message, disks: seen.target.disks}
	if p.Reason == vitistackv1alpha1.ReasonDeleting {
		told.phase = j.phaseOf(moves.Next{Reason: vitistackv1alpha1.ReasonCleaningUp})
		told.reason = vitistackv1alpha1.ReasonCleaningUp
	}
	if j.record.Stage == vitistackv1alpha1.MoveAborting {
		told.reason, told.message = j.cause(told)
	}
	since := j.memory.same(client.ObjectKeyFromObject(j.machine), shows(told), j.Clock.Now())
	waited := j.Clock.Now().Sub(since)
	if j.record.Stage == vitistackv1alpha1.MoveBegun &&
		(p.Blocked() || waited >= j.limit(vitistackv1alpha1.ReasonExporting)) {
		return j.afterGivingUp(ctx, seen, p.Reason, p.Message) // the guest is off meanwhile
	}
	if j.isNews(told, waited) {
		if err := j.say(ctx, told); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: poll(waited)}, nil
}
