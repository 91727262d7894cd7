package clusters

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLimiter(t *testing.T) {
	cases := map[string]struct {
		reason string
		qps    float32
		off    bool
		waited int64
	}{
		"limits":          {reason: "the third of a burst of two waits", qps: 0.001, waited: 1},
		"fair server":     {reason: "Priority and Fairness shares out better", qps: 0.001, off: true},
		"no limit at all": {reason: "asked for", qps: -1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLimiter(tc.qps, 2)
			l.off.Store(tc.off)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			var failed error
			for range 3 {
				failed = errors.Join(failed, l.Wait(ctx))
			}
			if (failed != nil) != (tc.waited > 0) {
				t.Errorf("%s: %v", tc.reason, failed)
			}
			if tc.waited > 0 && !errors.Is(callError(called{"cluster", "east"}, failed), ErrBusy) {
				t.Errorf("%s, and its error says that this is our own limit: %v", tc.reason, failed)
			}
			if diff := cmp.Diff(tc.waited, l.waited.Load()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
