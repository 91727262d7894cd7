package rollout

import (
	"fmt"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

// verdict is how a rollout goes on.
type verdict struct {
	phase           vitistackv1alpha1.RolloutPhase
	reason, message string
	// room is how many of those that wait may begin.
	room int
}

func say(phase vitistackv1alpha1.RolloutPhase, reason, message string, about ...any) verdict {
	return verdict{phase: phase, reason: reason, message: fmt.Sprintf(message, about...)}
}

// verdict sums up what becomes of the Machines.
func (f *frame) verdict(s sorted) verdict {
	spec := f.rollout.Spec
	most, wrong := allowed(spec.MaxUnavailable, s.members)
	if f.wrong != "" {
		wrong = f.wrong
	}
	pauses := spec.PauseOnFailure == nil || *spec.PauseOnFailure || len(s.failed) >= maxListed
	unbegun := len(s.waiting) + len(s.ailing) + len(s.yielding)
	const (
		progressing, paused = vitistackv1alpha1.RolloutProgressing, vitistackv1alpha1.RolloutPaused
		incomplete          = vitistackv1alpha1.RolloutIncomplete
	)
	switch {
	case spec.Abort && s.going > 0:
		return say(progressing, vitistackv1alpha1.ReasonRolloutAborting,
			"no further Machine begins; those under way go on to their end")
	case spec.Abort:
		return say(vitistackv1alpha1.RolloutAborted, vitistackv1alpha1.ReasonRolloutAborted, "it was given up")
	case wrong != "":
		return say(paused, vitistackv1alpha1.ReasonRolloutInvalid, "no Machine begins: %s", wrong)
	case unbegun+s.going+len(s.left)+len(s.broken) == 0:
		return say(vitistackv1alpha1.RolloutSucceeded, vitistackv1alpha1.ReasonRolledOut, "all Machines are done")
	case spec.Paused:
		return say(paused, vitistackv1alpha1.ReasonRolloutPaused,
			"no further Machine begins: set spec.paused to false to go on")
	case pauses && len(s.broken) > 0:
		return f.broken(s)
	case most == 0 && unbegun > 0:
		return say(paused, vitistackv1alpha1.ReasonRolloutPaused,
			"no Machine can begin while spec.maxUnavailable is %s: raise it", spec.MaxUnavailable)
	case len(s.waiting)+len(s.yielding)+s.going == 0:
		return incompleteOf(s)
	}
	room := max(0, min(len(s.waiting), most-s.unavailable, maxInFlight-len(s.inFlight)))
	v := say(progressing, vitistackv1alpha1.ReasonRollingOut, "Machines %s, a few at a time", f.verb())
	switch {
	case room > 0 || s.going > 0:
	case len(s.waiting) > 0 && len(s.broken) > 0:
		v = f.broken(s)
	case len(s.waiting) > 0:
		v = say(progressing, vitistackv1alpha1.ReasonMachinesNotHealthy,
			"no further Machine begins before fewer are not healthy: spec.maxUnavailable allows %d, status.stays names some",
			most)
	case len(s.yielding) > 0:
		v = say(progressing, vitistackv1alpha1.ReasonRolloutUnderWay, "%s %s", namesOf(s.yielding), s.yielding[0].waiting())
	}
	v.room = room
	return v
}

// waiting is what Machines wait for that another rollout has.
func (j judged) waiting() string { return strings.TrimPrefix(j.message, "it ") }

func (f *frame) verb() string {
	if f.rollout.Spec.Action == vitistackv1alpha1.RolloutResize {
		return "are resized"
	}
	return "restart"
}

// broken says which Machines keep the others from being begun, and what they say of themselves.
func (f *frame) broken(s sorted) verdict {
	slices.SortFunc(s.broken, func(a, b judged) int { return strings.Compare(keyOf(a.machine), keyOf(b.machine)) })
	first := s.broken[0]
	message := fmt.Sprintf("no further Machine begins: %s: %s",
		keyOf(first.machine), summary.Cut(first.message, maxListedMessage))
	if more := s.broken[1:]; len(more) > 0 {
		message += "; and so with " + namesOf(more)
	}
	return say(vitistackv1alpha1.RolloutPaused, first.reason, "%s", message)
}

// incompleteOf says that nothing goes on with those that are left.
func incompleteOf(s sorted) verdict {
	rest := slices.Concat(s.broken, s.left, s.ailing)
	owned := !slices.ContainsFunc(rest, func(j judged) bool {
		return j.reason != vitistackv1alpha1.ReasonOwnedByController
	})
	if owned {
		return say(vitistackv1alpha1.RolloutIncomplete, vitistackv1alpha1.ReasonOwnedByController, "%s: %s",
			namesOf(rest), rest[0].message)
	}
	return say(vitistackv1alpha1.RolloutIncomplete, vitistackv1alpha1.ReasonMachinesLeft,
		"%s cannot be done: status.stays says why", namesOf(rest))
}

// stalled says that nothing goes on until a person acts.
func stalled(phase vitistackv1alpha1.RolloutPhase) bool {
	switch phase {
	case vitistackv1alpha1.RolloutPaused, vitistackv1alpha1.RolloutIncomplete, vitistackv1alpha1.RolloutAborted:
		return true
	}
	return false
}

// namesOf joins the first names, in their order.
func namesOf(of []judged) string {
	var names []string
	for _, j := range of {
		names = append(names, keyOf(j.machine))
	}
	slices.Sort(names)
	return summary.Few(names)
}
