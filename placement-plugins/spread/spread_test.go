package spread_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/spread"
)

func TestConformance(t *testing.T) {
	for _, config := range []string{"", `{"labelKey":"zone","maxSkew":2}`} {
		s := &spread.Strategy{}
		if err := s.Configure([]byte(config)); err != nil {
			t.Fatal(err)
		}
		placementtest.Run(t, s)
	}
}

// in is a cluster in a zone with so many Machines; -1 is unknown.
func in(name, zone string, machines int64) placement.Candidate {
	c := placement.Candidate{Name: name, Reachable: true}
	if zone != "" {
		c.Labels = map[string]string{"zone": zone}
	}
	if machines >= 0 {
		c.Capacity.Machines = &machines
	}
	return c
}

// silent is the same cluster without contact.
func silent(c placement.Candidate) placement.Candidate {
	c.Reachable = false
	return c
}

func TestPlace(t *testing.T) {
	down := silent(in("a", "x", 0))
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
		"three clusters": {
			reason:     "the cluster with the fewest Machines is taken",
			candidates: []placement.Candidate{in("a", "", 2), in("b", "", 1), in("c", "", 3)},
			want:       placement.Decision{Config: "b", Reason: "the fewest machines: 1"},
		},
		"emptiest cluster is unreachable": {
			reason:     "a Machine would wait in an unreachable cluster, so it goes elsewhere",
			candidates: []placement.Candidate{down, in("b", "", 7)},
			want:       placement.Decision{Config: "b", Reason: "the fewest machines: 7"},
		},
		"number of Machines is unknown": {
			reason:     "an unknown number of Machines is not zero",
			candidates: []placement.Candidate{in("a", "", -1), in("b", "", 7)},
			want:       placement.Decision{Config: "b", Reason: "the fewest machines: 7"},
		},
		"no cluster is usable": {
			reason: "the message counts the excluded clusters by reason", config: `{"labelKey":"zone"}`,
			candidates: []placement.Candidate{down, in("b", "x", -1), in("c", "", 1), in("d", "", 1)},
			err: placement.Hold{
				Reason: choice.ReasonNoCluster,
				Message: "none of 4 clusters fits machine ns/n: 1 unreachable, 1 with an unknown number of machines, " +
					"2 without label zone",
			},
		},
		"emptiest cluster is in the fuller zone": {
			reason: "zones are spread over before clusters", config: `{"labelKey":"zone"}`,
			candidates: []placement.Candidate{in("a", "x", 3), in("b", "x", 0), in("c", "y", 1)},
			want:       placement.Decision{Config: "c", Reason: "the fewest machines: 1, zone y"},
		},
		"fuller zone is silent in part": {
			reason: "the Machines of an unreachable cluster are in its zone all the same", config: `{"labelKey":"zone"}`,
			candidates: []placement.Candidate{silent(in("a", "x", 10)), in("b", "x", 1), in("c", "y", 2)},
			want:       placement.Decision{Config: "c", Reason: "the fewest machines: 2, zone y"},
		},
		"emptier zone is silent as a whole": {
			reason: "no Machine waits for a zone that cannot take it", config: `{"labelKey":"zone"}`,
			candidates: []placement.Candidate{silent(in("a", "x", 0)), in("b", "y", 5), in("c", "z", 6)},
			want:       placement.Decision{Config: "b", Reason: "the fewest machines: 5, zone y"},
		},
		"silent cluster of unknown number": {
			reason: "a number that is not known adds nothing to its zone", config: `{"labelKey":"zone"}`,
			candidates: []placement.Candidate{silent(in("a", "x", -1)), in("b", "x", 1), in("c", "y", 2)},
			want:       placement.Decision{Config: "b", Reason: "the fewest machines: 1, zone x"},
		},
		"zone within the skew": {
			reason: "a zone may have as many Machines more as maxSkew says", config: `{"labelKey":"zone","maxSkew":3}`,
			candidates: []placement.Candidate{in("a", "x", 3), in("b", "x", 0), in("c", "y", 1)},
			want:       placement.Decision{Config: "b", Reason: "the fewest machines: 0, zone x"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &spread.Strategy{}
			if err := s.Configure([]byte(tc.config)); err != nil {
				t.Fatal(err)
			}
			got, err := s.Place(
				t.Context(),
				placement.Request{Machine: placement.Machine{Namespace: "ns", Name: "n", UID: "u"}, Candidates: tc.candidates},
			)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err); diff != "" {
				t.Errorf("\n%s\nPlace(): -want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPlaceManyAlike spreads Machines evenly over clusters that are alike, each by its UID alone.
func TestPlaceManyAlike(t *testing.T) {
	got := map[string]int{}
	const machines, clusters = 3000, 3
	for i := range machines {
		decision, err := (&spread.Strategy{}).Place(t.Context(), placement.Request{
			Machine:    placement.Machine{UID: fmt.Sprintf("6f1d1a5e-0000-4000-8000-%012d", i)},
			Candidates: []placement.Candidate{in("cluster-1", "", 4), in("cluster-2", "", 4), in("cluster-3", "", 4)},
		})
		if err != nil {
			t.Fatal(err)
		}
		got[decision.Config]++
	}
	for config, count := range got {
		if count < machines/clusters*9/10 || count > machines/clusters*11/10 {
			t.Errorf("%s got %d of %d Machines", config, count, machines)
		}
	}
}

func TestConfigure(t *testing.T) {
	cases := map[string]struct{ config, field string }{
		"skew without a label":      {config: `{"maxSkew":2}`, field: "maxSkew"},
		"negative skew":             {config: `{"labelKey":"zone","maxSkew":-1}`, field: "maxSkew"},
		"number for the label":      {config: `{"labelKey":7}`, field: "labelKey"},
		"field that does not exist": {config: `{"label":"zone"}`, field: ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			violations, ok := errors.AsType[placement.Violations]((&spread.Strategy{}).Configure([]byte(tc.config)))
			if !ok || len(violations) != 1 || violations[0].Field != tc.field {
				t.Errorf("Configure(%s): want a violation of %q, got %v", tc.config, tc.field, violations)
			}
		})
	}
}
