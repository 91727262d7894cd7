package counts

import (
	"context"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

// RowRest is the row of Rest.
const RowRest = "calls-at-rest"

// Rest counts the calls for Machines that run while nothing happens.
func (b *Bench) Rest(ctx context.Context) ([]report.Row, error) {
	const namespace = "rest"
	b.Say("\n%d Machines at rest for %s: calls", b.Machines, b.Sizes.Rest)
	if _, err := b.run(ctx, namespace, b.Machines); err != nil {
		return nil, err
	}
	since := time.Now()
	if err := b.pass(ctx, b.Sizes.Rest); err != nil {
		return nil, err
	}
	calls, err := b.CallsEverywhere(audit.Filter{Since: since})
	if err != nil {
		return nil, err
	}
	theirs := 0
	for _, call := range calls {
		if call.Namespace == namespace {
			theirs++
		}
	}
	b.Say("%s", audit.By(calls, func(c audit.Call) string { return c.Verb + " " + c.Kind() }))
	row := report.Most(RowRest, report.Calls, 0, []float64{float64(theirs)}).
		Noted("%d Machines for %s, all clusters; %d calls were for no Machine", b.Machines, b.Sizes.Rest, len(calls)-theirs)
	return []report.Row{row}, b.Clean(ctx, namespace, false)
}

// pass lets time pass while the operator runs.
func (b *Bench) pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return b.Exited()
	}
}
