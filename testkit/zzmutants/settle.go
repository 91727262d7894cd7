package observer

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Converged waits until each Machine is as its spec asks and nothing is left of those that are gone,
// and then looks for calls at rest (I12) for Options.Quiet. What is not so within a time is returned
// as violations, Check's included. Clusters that are in trouble by then are not expected to.
func (o *Observer) Converged(ctx context.Context, within time.Duration) []Violation {
	o.checking.Lock()
	defer o.checking.Unlock()
	var last []Violation
	until, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := wait.PollUntilContextCancel(until, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		now, err := o.lookOnly(ctx)
		if err != nil {
			return false, err
		}
		last = o.unexcused(unconverged(now))
		return len(last) == 0, nil
	})
	if err != nil {
		if len(last) == 0 {
			last = []Violation{{Invariant: Convergence, Message: "it could not be looked at: " + err.Error(), At: time.Now()}}
		}
		return o.fresh(last)
	}
	return o.fresh(o.rest(ctx))
}

// rest watches for calls for a while.
func (o *Observer) rest(ctx context.Context) []Violation {
	since := time.Now()
	timer := time.NewTimer(o.options.Quiet)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil
	}
	now, err := o.lookOnly(ctx)
	if err != nil {
		return []Violation{{Invariant: "I12", Message: "the calls at rest could not be read: " + err.Error(), At: time.Now()}}
	}
	return now.restless(since)
}
