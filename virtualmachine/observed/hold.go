package observed

import (
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// HoldRemaining is after how long the status says what it does not say yet because it is too young:
// the caller should come back then. 0 means that there is nothing to come back for.
func HoldRemaining(in Input) time.Duration {
	// As Status has it. Else both would wait for the other in the second in which the hold ends.
	in.Now = in.Now.Truncate(time.Second)
	r := newReport(in)
	remaining := r.hiddenFor
	if r.contact != nil && !r.contact.Since.IsZero() && r.heldContact(*r.contact) {
		remaining = soonest(remaining, r.holdOf(*r.contact))
	}
	return remaining
}

// soonest is the shorter of two times, of which 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// holdOf is how much of the hold of a problem is left, less than 1 where none is.
func (in Input) holdOf(p Problem) time.Duration {
	if p.Since.IsZero() {
		return 0
	}
	return in.Options.hold() - in.Now.Sub(p.Since)
}

// heldContact says whether a loss of contact is too young to be told. A loss that a person must end
// is none that passes, unless its reason says so. What was told already stays told.
func (in Input) heldContact(contact Problem) bool {
	info := contact.info()
	if hasStatus(in.Machine.Status, vitistackv1alpha1.ConditionRemoteReachable, isFalse) {
		return false
	}
	if contact.Blocked() && !info.MayPass {
		return false
	}
	return info.NoVerdict || in.holdOf(contact) > 0
}

// heldRetry says whether a call that is tried again is too young to be told. That is so only while
// Ready is True of this generation: a change that was never carried out is no passing trouble.
func (in Input) heldRetry(p Problem) bool {
	if p.acts() != vitistackv1alpha1.ActorTime || in.holdOf(p) <= 0 {
		return false
	}
	ready := in.Machine.Status.Condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Status != isTrue {
		return false
	}
	// Definitions that others own have no observedGeneration in their conditions.
	return ready.ObservedGeneration == in.Machine.Generation || ready.ObservedGeneration == 0
}
