package single_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/single"
)

func TestConformance(t *testing.T) { placementtest.Run(t, single.Strategy{}) }

func TestPlace(t *testing.T) {
	cases := map[string]struct {
		reason     string
		candidates []placement.Candidate
		want       placement.Decision
	}{
		"no KubevirtConfig": {
			reason: "without a KubevirtConfig there is nothing to choose",
			want:   placement.Decision{Reason: "there are 0 KubevirtConfigs"},
		},
		"one KubevirtConfig": {
			reason:     "with one KubevirtConfig a Machine needs no reference (Single Cluster Scenario)",
			candidates: []placement.Candidate{{Name: "cluster-east", Reachable: true}},
			want:       placement.Decision{Config: "cluster-east", Reason: "the only KubevirtConfig"},
		},
		"one KubevirtConfig that is down": {
			reason:     "the only cluster stays the only one while it is down: the operator waits for it",
			candidates: []placement.Candidate{{Name: "cluster-east"}},
			want:       placement.Decision{Config: "cluster-east", Reason: "the only KubevirtConfig"},
		},
		"two KubevirtConfigs of which one is down": {
			reason:     "a broken second cluster must not turn several into one",
			candidates: []placement.Candidate{{Name: "cluster-east", Reachable: true}, {Name: "cluster-west"}},
			want:       placement.Decision{Reason: "there are 2 KubevirtConfigs"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := single.Strategy{}.Place(t.Context(), placement.Request{Candidates: tc.candidates})
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("\n%s\nPlace(): %v; -want, +got:\n%s", tc.reason, err, diff)
			}
		})
	}
}
