package evacuation

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// fate is what becomes of a Machine that is still in the cluster.
type fate int

const (
	// waits: it gets a MachineMove when it is its turn.
	waits fate = iota
	// goes: a move of it is under way, or it is being deleted.
	goes
	// stays: it cannot be moved, or a person gave its move up. Nothing is broken.
	stays
	// failed: its move broke off.
	failed
)

// settleTime is how long a Machine may seem to be in the cluster after its move succeeded: the two
// are read from two watches.
const settleTime = time.Minute

// judged is a Machine with its fate.
type judged struct {
	machine *vitistackv1alpha1.Machine
	fate    fate
	// move is what decided it: nil where there is none.
	move *vitistackv1alpha1.MachineMove
	// slot says that it counts as a move under way.
	slot bool
	// reason and message say why it stays, "" where it does not. A move that is under way and waits for
	// a person has them too.
	reason, message string
}

// judge says what becomes of a Machine in the cluster. own is the MachineMove of the Evacuation for
// it, other one of somebody else that is not over.
func judge(machine *vitistackv1alpha1.Machine, own, other *vitistackv1alpha1.MachineMove, now time.Time) judged {
	j := judged{machine: machine, move: own}
	if own == nil || own.Status.Phase.Over() && other != nil {
		j.move = other
	}
	switch move := j.move; {
	case machine.DeletionTimestamp != nil:
		j.fate, j.slot = goes, move != nil && underWay(move)
	case move == nil:
		j.fate = waits
	case move.Status.Phase == vitistackv1alpha1.MovePhaseSucceeded:
		j.fate, j.reason = stays, vitistackv1alpha1.ReasonMoved
		j.message = "it was moved away and is here again: delete MachineMove " + move.Name + " to have it moved once more"
		if ended := over(move); now.Sub(ended) < settleTime {
			j.fate, j.reason, j.message = goes, "", ""
		}
	case move.Status.Phase == vitistackv1alpha1.MovePhaseFailed:
		j.fate = failed
		if j.reason, j.message = why(move); !begun(move) || j.reason == vitistackv1alpha1.ReasonMoveAborted {
			j.fate = stays
		}
	case refused(move):
		j.fate = stays
		j.reason, j.message = why(move)
	default:
		j.fate, j.slot = goes, true
		if stalled(move) {
			j.reason, j.message = why(move)
		}
	}
	return j
}

// underWay reports whether a move is one of those that spec.maxInFlight counts.
func underWay(move *vitistackv1alpha1.MachineMove) bool {
	return !move.Status.Phase.Over() && !refused(move)
}

// refused reports whether a move has not begun, and does not until a person acts.
func refused(move *vitistackv1alpha1.MachineMove) bool {
	return !move.Status.Phase.Over() && !begun(move) && stalled(move)
}

// begun reports whether anything was done to either side.
func begun(move *vitistackv1alpha1.MachineMove) bool {
	phase := move.Status.Phase
	if phase != "" && phase != vitistackv1alpha1.MovePhasePending && !phase.Over() {
		return true
	}
	for _, step := range move.Status.Steps {
		if step.Phase != vitistackv1alpha1.MovePhasePending && !step.Phase.Over() {
			return true
		}
	}
	return false
}

func stalled(move *vitistackv1alpha1.MachineMove) bool {
	return meta.IsStatusConditionTrue(move.Status.Conditions, vitistackv1alpha1.ConditionStalled)
}

// why is what a move says of itself.
func why(move *vitistackv1alpha1.MachineMove) (reason, message string) {
	ready := meta.FindStatusCondition(move.Status.Conditions, vitistackv1alpha1.ConditionReady)
	if ready == nil {
		return vitistackv1alpha1.ReasonMoveFailed, "MachineMove " + move.Name + " does not say why"
	}
	return ready.Reason, ready.Message
}

// over is when a move ended. A move that does not say so ended long ago.
func over(move *vitistackv1alpha1.MachineMove) time.Time {
	ready := meta.FindStatusCondition(move.Status.Conditions, vitistackv1alpha1.ConditionReady)
	if ready == nil {
		return time.Time{}
	}
	return ready.LastTransitionTime.Time
}
