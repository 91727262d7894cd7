package placement

import "context"

// A Gather returns the facts about one Machine and about all clusters, at least those that are
// needed. A chain calls it first with no needs at all, and again whenever the strategy that it asks
// next needs more. Each call gets all needs until then, so that facts which cost something are best
// kept from one call to the next. Its error ends the question.
type Gather func(ctx context.Context, needs Needs) (Request, error)

// Given is a Gather of facts that are there already, whatever is needed.
func Given(req Request) Gather {
	return func(context.Context, Needs) (Request, error) { return req, nil }
}

// A Starter is a Strategy that may still be starting when it is asked, as a plugin may. Until it
// runs its needs are not known, so that its own Needs are no more than the last known ones. A chain
// asks what Started returns, and gathers what that needs.
type Starter interface {
	Strategy
	// Started waits for what will answer, which is asked once and has constant Needs. Its error is a
	// failure of the strategy.
	Started(ctx context.Context) (Strategy, error)
}

// started is the strategy that will answer.
func started(ctx context.Context, strategy Strategy) (Strategy, error) {
	if starter, ok := strategy.(Starter); ok {
		return starter.Started(ctx)
	}
	return strategy, nil
}

// facts are what has been gathered for one question.
type facts struct {
	gather  Gather
	request Request
	needs   Needs // that the request meets
}

// gatherFirst gathers what costs nothing.
func gatherFirst(ctx context.Context, gather Gather) (*facts, error) {
	f := &facts{gather: gather, needs: Needs{NoLabels: true}}
	return f, f.update(ctx)
}

// meet gathers more where the request does not meet the needs yet.
func (f *facts) meet(ctx context.Context, needs Needs) error {
	all := f.needs.Or(needs)
	if all == f.needs {
		return nil
	}
	f.needs = all
	return f.update(ctx)
}

// update gathers all that is needed by now.
func (f *facts) update(ctx context.Context) error {
	request, err := f.gather(ctx, f.needs)
	if err != nil {
		return err
	}
	f.request, err = request.normalized()
	return err
}

// ungathered is the error of a Gather, which is no failure of a strategy.
type ungathered struct{ error }
