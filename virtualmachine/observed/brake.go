package observed

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const releasedMessage = "the deletion is not held any more"

// setDeletionHeld tells whether the deletion is held. The condition appears when it is held, and keeps
// the generation that was held: a later one says that the Machine is wanted again.
func (r *report) setDeletionHeld(status *vitistackv1alpha1.MachineStatus) {
	const held = vitistackv1alpha1.ConditionDeletionHeld
	had := status.Condition(held)
	wasHeld := had != nil && had.Status == isTrue
	p, found := r.problems[held]
	switch {
	case found:
		condition := r.spoken(held, isTrue, p.Reason, p.Message)
		if wasHeld {
			condition.ObservedGeneration = had.ObservedGeneration
		}
		status.SetCondition(condition)
	case r.Released && wasHeld:
		r.set(status, held, isFalse, vitistackv1alpha1.ReasonDeletionReleased, releasedMessage)
	}
}

// deletionHeld is the problem of a deletion that is held, nil where it is not.
func (r *report) deletionHeld() *Problem {
	if p, found := r.problems[vitistackv1alpha1.ConditionDeletionHeld]; found {
		return &p
	}
	return nil
}
