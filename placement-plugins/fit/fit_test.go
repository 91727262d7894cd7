package fit_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/fit"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
)

func TestConformance(t *testing.T) { placementtest.Run(t, &fit.Strategy{}) }

func TestPlace(t *testing.T) {
	cluster := func(name string, verdict placement.ReadyVerdict, score int32, reason string) placement.Candidate {
		return placement.Candidate{
			Name: name, Reachable: true, Ready: placement.Ready{Verdict: verdict, Score: score, Reason: reason},
		}
	}
	down := cluster("z", placement.ReadyYes, 100, "")
	down.Reachable = false
	cases := map[string]struct {
		reason     string
		config     string
		candidates []placement.Candidate
		want       placement.Decision
		err        error
	}{
		"no clusters": {
			reason: "without clusters there is nothing to choose from",
			want:   placement.Decision{Reason: "there are no clusters"},
		},
		"several are ready": {
			reason: "the one with the highest score is taken, whatever others would have",
			candidates: []placement.Candidate{
				cluster("a", placement.ReadyYes, 40, ""), cluster("b", placement.ReadyYes, 60, ""),
				cluster("c", placement.ReadyNo, 0, "NoRoom"), cluster("d", placement.ReadyUnknown, 90, "Forbidden"), down,
			},
			want: placement.Decision{Config: "b", Reason: "ready, score 60"},
		},
		"equal scores": {
			reason:     "the first by name is taken, so that a person can foretell it",
			candidates: []placement.Candidate{cluster("b", placement.ReadyYes, 60, ""), cluster("a", placement.ReadyYes, 60, "")},
			want:       placement.Decision{Config: "a", Reason: "ready, score 60"},
		},
		"none is ready": {
			reason: "the message counts the clusters by what they lack",
			candidates: []placement.Candidate{
				cluster("a", placement.ReadyNo, 0, "StorageClassMissing"), cluster("b", placement.ReadyNo, 0, "NoRoom"),
				cluster("c", placement.ReadyUnknown, 20, "Forbidden"), cluster("d", placement.ReadyNotAsked, 0, ""), down,
			},
			err: placement.Hold{
				Reason: choice.ReasonNoCluster,
				Message: "none of 5 clusters fits machine ns/n: 1 not known to be ready (Forbidden), 1 not ready (NoRoom), " +
					"1 not ready (StorageClassMissing), 1 unreachable, 1 with unknown readiness",
			},
		},
		"unknown is taken": {
			reason: "who says so gets a cluster that might do, where none is known to",
			config: `{"unknown":"take"}`,
			candidates: []placement.Candidate{
				cluster("a", placement.ReadyUnknown, 10, "Forbidden"), cluster("b", placement.ReadyUnknown, 20, "Forbidden"),
			},
			want: placement.Decision{Config: "b", Reason: "no cluster is known to be ready; here it is not known: Forbidden"},
		},
		"unknown is taken last": {
			reason: "a cluster that is known to do comes first, whatever its score",
			config: `{"unknown":"take"}`,
			candidates: []placement.Candidate{
				cluster("a", placement.ReadyUnknown, 90, "Forbidden"), cluster("b", placement.ReadyYes, 20, ""),
			},
			want: placement.Decision{Config: "b", Reason: "ready, score 20"},
		},
		"not asked is never taken": {
			reason: "a host that has not looked knows nothing", config: `{"unknown":"take"}`,
			candidates: []placement.Candidate{cluster("a", placement.ReadyNotAsked, 0, "")},
			err: placement.Hold{
				Reason:  choice.ReasonNoCluster,
				Message: "none of 1 clusters fits machine ns/n: 1 with unknown readiness",
			},
		},
		"score is too low": {
			reason: "a cluster that is almost full is left alone", config: `{"minScore":50}`,
			candidates: []placement.Candidate{cluster("a", placement.ReadyYes, 49, ""), cluster("b", placement.ReadyYes, 50, "")},
			want:       placement.Decision{Config: "b", Reason: "ready, score 50"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &fit.Strategy{}
			if err := s.Configure([]byte(tc.config)); err != nil {
				t.Fatal(err)
			}
			got, err := s.Place(t.Context(), placement.Request{
				Machine: placement.Machine{Namespace: "ns", Name: "n", UID: "u"}, Candidates: tc.candidates,
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

func TestConfigure(t *testing.T) {
	cases := map[string]string{
		`{"unknown":"guess"}`: "unknown",
		`{"minScore":101}`:    "minScore",
		`{"minScore":-1}`:     "minScore",
	}
	for config, field := range cases {
		violations, ok := errors.AsType[placement.Violations]((&fit.Strategy{}).Configure([]byte(config)))
		if !ok || len(violations) != 1 || violations[0].Field != field {
			t.Errorf("Configure(%s): want a violation of %q, got %v", config, field, violations)
		}
	}
}
