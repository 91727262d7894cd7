package machine

import (
	"cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// answer turns a strategy's refusal or hold into a Problem, and every other error into one that is
// tried again.
func answer(err error) error {
	const placed = vitistackv1alpha1.ConditionPlaced
	if refusal, refused := placement.AsRefusal(err); refused {
		return problem.Person(placed, reasonOf(refusal.Reason, vitistackv1alpha1.ReasonStrategyRefused), "%s",
			refusal.Error())
	}
	if hold, held := placement.AsHold(err); held {
		return problem.Time(placed, reasonOf(hold.Reason, vitistackv1alpha1.ReasonStrategyHeld), "%s", hold.Error())
	}
	if _, isProblem := problem.As(err); isProblem {
		return err
	}
	return problem.Time(placed, vitistackv1alpha1.ReasonRetrying, "asking the strategies: %s", err.Error())
}

// reasonOf translates the reasons of package placement. A strategy's own reason stays.
func reasonOf(reason, none string) string {
	known := map[string]string{
		placement.ReasonNoneAvailable:       vitistackv1alpha1.ReasonNoKubevirtConfigs,
		placement.ReasonCannotDetermine:     vitistackv1alpha1.ReasonCannotDeterminePlacement,
		placement.ReasonUnknownCluster:      vitistackv1alpha1.ReasonConfigNotFound,
		placement.ReasonDefaultMissing:      vitistackv1alpha1.ReasonConfigNotFound,
		placement.ReasonReferencesDiffer:    vitistackv1alpha1.ReasonReferencesDiffer,
		placement.ReasonDuplicateVM:         vitistackv1alpha1.ReasonDuplicateVM,
		placement.ReasonPresenceUnknown:     vitistackv1alpha1.ReasonClustersUnanswered,
		placement.ReasonStrategyUnavailable: vitistackv1alpha1.ReasonPluginUnavailable,
		placement.ReasonReferenceOverruled:  vitistackv1alpha1.ReasonStrategyRefused,
		placement.ReasonStrategyFailed:      vitistackv1alpha1.ReasonStrategyRefused,
	}
	return cmp.Or(known[reason], reason, none)
}

// decidedBy is the strategy that made the decision.
func decidedBy(trace placement.Trace) string {
	for _, step := range trace {
		if step.Verdict == placement.Placed {
			return step.Strategy
		}
	}
	return ""
}

// summary is the annotation for what was asked, if the Machine goes to the cluster.
func (a Asked) summary(config string) string {
	trace := vitistackv1alpha1.PlacementTrace{Config: config}
	for _, step := range a.Trace {
		if step.Verdict == placement.Placed {
			trace.Strategy, trace.Reason = step.Strategy, step.Reason
			if step.Config != config {
				trace.Reason = "it chose " + step.Config + ", but the virtual machine is here"
			}
		}
		trace.Steps = append(trace.Steps, vitistackv1alpha1.PlacementStep{
			Strategy: step.Strategy, Verdict: step.Verdict.String(), Config: step.Config, Reason: step.Reason,
			Message: step.Message,
		})
	}
	return trace.String()
}
