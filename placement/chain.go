package placement

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A Chain asks its strategies in order; the first decision wins. The empty chain has no opinion on
// anything.
type Chain []Link

// A Link is one strategy of a [Chain] and what its failure means.
type Link struct {
	Strategy Strategy
	OnError  ErrorPolicy
}

// retryFailed is when a Machine that waits for a failed strategy is asked about again.
const retryFailed = 5 * time.Second

// Place returns the first decision and the trace of every strategy, those that were not reached
// included. The decision always names a candidate and never contradicts the Machine's explicit
// reference, whichever strategies are in the chain. Facts are gathered only when a strategy is
// asked that needs them, so that the clusters are spared where an earlier strategy decides.
//
// The error is a [Refusal] or a [Hold] (also where no strategy has an opinion, and for the failure
// of a strategy by its [ErrorPolicy], which then is its cause), the context's error, a plain error
// for a request that is not valid, or that of gather. With the last two the trace has only the
// strategies that were asked before.
//
// A strategy that needs presence is not asked while a candidate's VM is [NotAsked] all the same:
// the answer is then a Hold of [ReasonPresenceNotRequested].
func (c Chain) Place(ctx context.Context, gather Gather) (Decision, Trace, error) {
	known, err := gatherFirst(ctx, gather)
	if err != nil {
		return Decision{}, nil, err
	}
	trace := c.newTrace()
	var skipped error
	for i, link := range c {
		decision, err := link.ask(ctx, known, skipped)
		if missing, ok := errors.AsType[ungathered](err); ok {
			return Decision{}, trace[:i], missing.error
		}
		trace[i].record(decision, err)
		switch {
		case err == nil && decision.Config != "":
			return decision, trace, nil
		case err == nil:
		case isAnswer(err):
			return Decision{}, trace, err
		case ctx.Err() != nil:
			return Decision{}, trace, fmt.Errorf("placing machine %s: %w", known.request.Machine, context.Cause(ctx))
		case link.OnError == SkipOnError:
			skipped = err
		default:
			return Decision{}, trace, link.failure(err)
		}
	}
	return Decision{}, trace, known.request.undecided()
}

func (c Chain) newTrace() Trace {
	trace := make(Trace, len(c))
	for i, link := range c {
		trace[i] = Step{Strategy: link.Strategy.Name(), Verdict: NotReached}
	}
	return trace
}

// ask returns the strategy's answer, or the refusal of a decision that must not stand. It gathers
// before what the strategy needs and is not known yet. The argument skipped is the failure of an
// earlier strategy that was passed over, or nil.
func (l Link) ask(ctx context.Context, known *facts, skipped error) (Decision, error) {
	strategy, err := started(ctx, l.Strategy)
	if err != nil {
		return Decision{}, err
	}
	needs := strategy.Needs()
	if err := known.meet(ctx, needs); err != nil {
		return Decision{}, ungathered{err}
	}
	req := known.request
	if needs.Presence && req.unasked() {
		return Decision{}, Hold{
			Reason:  ReasonPresenceNotRequested,
			Message: fmt.Sprintf("strategy %q needs to know in which clusters the virtual machine is", strategy.Name()),
		}
	}
	decision, err := strategy.Place(ctx, req)
	if err != nil || decision.Config == "" {
		return Decision{Reason: decision.Reason}, err
	}
	return decision, req.check(decision, strategy.Name(), skipped)
}

// check refuses a decision against the explicit reference, and one for a cluster that does not
// exist.
func (r Request) check(decision Decision, strategy string, skipped error) error {
	explicit, err := r.Machine.explicit()
	if err != nil {
		return err
	}
	if explicit != "" && explicit != decision.Config {
		message := fmt.Sprintf("machine %s names KubevirtConfig %q, but strategy %q chose %q",
			r.Machine, explicit, strategy, decision.Config)
		if skipped != nil { // the strategy that reads references may answer the next time, so no person is needed
			return Hold{Reason: ReasonStrategyUnavailable, Message: message, RetryAfter: retryFailed, Cause: skipped}
		}
		return Refusal{Reason: ReasonReferenceOverruled, Message: message}
	}
	if _, found := r.Candidate(decision.Config); !found {
		return Refusal{
			Reason: ReasonUnknownCluster,
			Message: fmt.Sprintf("KubevirtConfig %s not found%s (chosen by strategy %q)",
				decision.Config, r.where(), strategy),
		}
	}
	return nil
}

// failure turns a strategy's failure into the answer that its policy asks for.
func (l Link) failure(err error) error {
	message := fmt.Sprintf("strategy %q gave no answer: %v", l.Strategy.Name(), err)
	if l.OnError == RefuseOnError {
		return Refusal{Reason: ReasonStrategyFailed, Message: message, Cause: err}
	}
	return Hold{Reason: ReasonStrategyUnavailable, Message: message, RetryAfter: retryFailed, Cause: err}
}

// undecided is the answer where no strategy has an opinion. docs/specification.md fixes its words
// ("Troubleshooting").
func (r Request) undecided() Refusal {
	prefix := fmt.Sprintf("machine %s has no KubevirtConfig reference and ", r.Machine)
	if len(r.Candidates) == 0 {
		return Refusal{
			Reason:  ReasonNoneAvailable,
			Message: prefix + "no KubevirtConfigs are available" + r.where(),
		}
	}
	return Refusal{
		Reason: ReasonCannotDetermine,
		Message: prefix + fmt.Sprintf("%d configs are available - cannot determine placement. Please set annotation '%s' "+
			"or DEFAULT_KUBEVIRT_CONFIG env var", len(r.Candidates), ConfigAnnotation),
	}
}

// isAnswer tells a refusal or a hold from a failure.
func isAnswer(err error) bool {
	_, refused := AsRefusal(err)
	_, held := AsHold(err)
	return refused || held
}
