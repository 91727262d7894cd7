package defaultconfig_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/defaultconfig"
)

func TestConformance(t *testing.T) { placementtest.Run(t, defaultconfig.Strategy{}) }

func TestPlace(t *testing.T) {
	cases := map[string]struct {
		reason     string
		configured string
		want       placement.Decision
		err        error
	}{
		"no default": {
			reason: "without a default the strategy has no opinion",
			want:   placement.Decision{Reason: "DEFAULT_KUBEVIRT_CONFIG is not set"},
		},
		"default is set": {
			reason:     "a Machine that names no cluster goes to the default (Option 2 of the specification)",
			configured: "cluster-east",
			want:       placement.Decision{Config: "cluster-east", Reason: "named by DEFAULT_KUBEVIRT_CONFIG"},
		},
		"default is unreachable": {
			reason: "the Machine waits for a default that is down, and goes nowhere else", configured: "cluster-west",
			want: placement.Decision{Config: "cluster-west", Reason: "named by DEFAULT_KUBEVIRT_CONFIG"},
		},
		"default does not exist": {
			reason: "a typing error must not fall through to another strategy", configured: "cluster-eats",
			err: placement.Refusal{
				Reason:  placement.ReasonDefaultMissing,
				Message: `DEFAULT_KUBEVIRT_CONFIG is "cluster-eats", but there is no such KubevirtConfig`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := defaultconfig.Strategy{}.Place(t.Context(), placement.Request{
				Default:    tc.configured,
				Candidates: []placement.Candidate{{Name: "cluster-east", Reachable: true}, {Name: "cluster-west"}},
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err); diff != "" {
				t.Errorf("\n%s\nPlace(): -want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
