package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestPlacementTrace(t *testing.T) {
	step := vitistackv1alpha1.PlacementStep{Strategy: "default", Verdict: "Placed", Config: "east", Reason: "named"}
	many := func(n int, message string) []vitistackv1alpha1.PlacementStep {
		var steps []vitistackv1alpha1.PlacementStep
		for range n {
			s := step
			s.Message = message
			steps = append(steps, s)
		}
		return steps
	}
	trace := func(steps []vitistackv1alpha1.PlacementStep, shortened bool) vitistackv1alpha1.PlacementTrace {
		return vitistackv1alpha1.PlacementTrace{Config: "east", Strategy: "default", Reason: "named", Steps: steps,
			Shortened: shortened}
	}
	noTexts := func(n int) []vitistackv1alpha1.PlacementStep {
		steps := many(n, "")
		for i := range steps {
			steps[i].Reason = ""
		}
		return steps
	}
	cases := map[string]struct {
		reason   string
		in, want vitistackv1alpha1.PlacementTrace
	}{
		"Fits": {reason: "all is there", in: trace(many(4, "m"), false), want: trace(many(4, "m"), false)},
		"LongTexts": {reason: "texts go first", in: trace(many(4, strings.Repeat("x", 600)), false),
			want: trace(noTexts(4), true)},
		"ManySteps": {reason: "then the steps", in: trace(many(100, ""), false), want: trace(nil, true)},
		"LongReason": {reason: "the decision stays whatever else", in: vitistackv1alpha1.PlacementTrace{Config: "east",
			Reason: strings.Repeat("é", 2000)}, want: vitistackv1alpha1.PlacementTrace{Config: "east", Shortened: true}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text := tc.in.String()
			if len(text) > vitistackv1alpha1.MaxPlacementTrace {
				t.Errorf("%s: %d bytes", tc.reason, len(text))
			}
			if diff := cmp.Diff(tc.want, vitistackv1alpha1.ParsePlacementTrace(text)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
	for _, garbage := range []string{"", "{", `{"steps":7}`, `{"config":"` + strings.Repeat("x", 3000) + `"}`} {
		if got := vitistackv1alpha1.ParsePlacementTrace(garbage); got.By() != "" || got.Config != "" {
			t.Errorf("garbage is read as %+v", got)
		}
	}
}
