package startup

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// tell logs results that it has not logged last time, and returns them all. Nothing is said once ctx, that of the process, has ended: it is the operator that stops, not a cluster that fails.
func (c *Checks) tell(ctx context.Context, results ...Result) []Result {
	if ctx.Err() != nil {
		return results
	}
	told := c.told.Load()
	for _, r := range results {
		if told != nil {
			if _, again := (*told)[r]; again {
				continue
			}
		}
		mark := render.Warning
		if r.Verdict == OK {
			mark = render.Good
		}
		c.options.Logger.Info(mark+" "+r.Message, r.values()...)
	}
	return results
}

// values are the key-value pairs of a result's line.
func (r Result) values() []any {
	var values []any
	for _, pair := range []struct{ key, value string }{
		{"kubevirtConfig", r.Config}, {"crd", r.CRD}, {"field", r.Field}, {"version", r.Version}, {"baseline", r.Baseline}, {"reason", r.Reason},
	} {
		if pair.value != "" {
			values = append(values, pair.key, pair.value)
		}
	}
	if r.Count > 0 {
		values = append(values, "count", r.Count)
	}
	return values
}
