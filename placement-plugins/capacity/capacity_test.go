package capacity_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/capacity"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
)

func TestConformance(t *testing.T) { placementtest.Run(t, &capacity.Strategy{}) }

const gi = int64(1 << 30)

func size(milliCPU, memory int64) placement.Resources {
	return placement.Resources{MilliCPU: &milliCPU, MemoryBytes: &memory}
}

func TestPlace(t *testing.T) {
	free := func(name string, free placement.Resources) placement.Candidate {
		return placement.Candidate{Name: name, Reachable: true, Capacity: placement.Capacity{Free: free}}
	}
	down := free("z", size(64000, 512*gi))
	down.Reachable = false
	cases := map[string]struct {
		reason     string
		config     string
		requests   placement.Resources
		candidates []placement.Candidate
		want       placement.Decision
		err        error
	}{
		"no clusters": {
			reason:   "without clusters there is nothing to choose from",
			requests: size(1000, gi),
			want:     placement.Decision{Reason: "there are no clusters"},
		},
		"size is not known": {
			reason:     "a Machine of unknown size fits anywhere and nowhere, so the next strategy is asked",
			candidates: []placement.Candidate{free("a", size(8000, 8*gi))},
			want:       placement.Decision{Reason: "the machine's size is not known"},
		},
		"two clusters with room": {
			reason: "memory runs out first, so the cluster with the most free memory is taken", requests: size(2000, 2*gi),
			candidates: []placement.Candidate{free("a", size(64000, 8*gi)), free("b", size(4000, 16*gi)), down},
			want:       placement.Decision{Config: "b", Reason: "the most room: 16384 MiB and 4000 mCPU are free"},
		},
		"too few processors where most memory is": {
			reason: "a cluster needs enough processors too", requests: size(8000, 2*gi),
			candidates: []placement.Candidate{free("a", size(64000, 8*gi)), free("b", size(4000, 16*gi))},
			want:       placement.Decision{Config: "a", Reason: "the most room: 8192 MiB and 64000 mCPU are free"},
		},
		"exactly enough room": {
			reason:     "the last bit of room is room",
			requests:   size(4000, 4*gi),
			candidates: []placement.Candidate{free("a", size(4000, 4*gi))},
			want:       placement.Decision{Config: "a", Reason: "the most room: 4096 MiB and 4000 mCPU are free"},
		},
		"capacity is unknown": {
			reason: "an unknown capacity is neither empty nor full", requests: size(1000, gi),
			candidates: []placement.Candidate{free("a", placement.Resources{}), free("b", size(1000, gi))},
			want:       placement.Decision{Config: "b", Reason: "the most room: 1024 MiB and 1000 mCPU are free"},
		},
		"more is requested than there is": {
			reason: "a difference that wraps around would be the most room of all", config: `{"reserveMemoryBytes":9223372036854775807}`,
			requests:   size(1000, gi),
			candidates: []placement.Candidate{free("a", size(8000, -gi)), free("b", size(8000, 64*gi))},
			err: placement.Hold{
				Reason:  choice.ReasonNoCluster,
				Message: "none of 2 clusters fits machine ns/n: 2 without enough memory",
			},
		},
		"more processors are requested than there are": {
			reason: "processors wrap around as memory does", config: `{"reserveMilliCPU":9223372036854775807}`,
			requests:   size(0, gi),
			candidates: []placement.Candidate{free("a", size(-2, 64*gi))},
			err: placement.Hold{
				Reason:  choice.ReasonNoCluster,
				Message: "none of 1 clusters fits machine ns/n: 1 without enough CPU",
			},
		},
		"nothing is wanted where too much is requested": {
			reason: "a cluster with less than nothing free is full for the smallest Machine", requests: size(0, 0),
			candidates: []placement.Candidate{free("a", size(8000, -gi)), free("b", size(10, 10<<20))},
			want:       placement.Decision{Config: "b", Reason: "the most room: 10 MiB and 10 mCPU are free"},
		},
		"largest amounts": {
			reason: "amounts at the end of the range are compared as others are", config: `{"reserveMemoryBytes":9223372036854775806}`,
			requests:   size(9223372036854775807, 1),
			candidates: []placement.Candidate{free("a", size(9223372036854775807, 9223372036854775807))},
			want: placement.Decision{
				Config: "a", Reason: "the most room: 8796093022207 MiB and 9223372036854775807 mCPU are free",
			},
		},
		"no cluster has room": {
			reason: "the message counts the excluded clusters by reason",
			config: `{"reserveMemoryBytes":1073741824}`, requests: size(2000, 2*gi),
			candidates: []placement.Candidate{
				free("a", size(8000, 2*gi)),
				free("b", placement.Resources{}),
				free("c", size(1000, 8*gi)),
				down,
			},
			err: placement.Hold{
				Reason: choice.ReasonNoCluster,
				Message: "none of 4 clusters fits machine ns/n: 1 unreachable, 1 with unknown capacity, " +
					"1 without enough CPU, 1 without enough memory",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &capacity.Strategy{}
			if err := s.Configure([]byte(tc.config)); err != nil {
				t.Fatal(err)
			}
			got, err := s.Place(t.Context(), placement.Request{
				Machine: placement.Machine{Namespace: "ns", Name: "n", UID: "u", Requests: tc.requests}, Candidates: tc.candidates,
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
		`{"reserveMilliCPU":-1}`:    "reserveMilliCPU",
		`{"reserveMemoryBytes":-1}`: "reserveMemoryBytes",
	}
	for config, field := range cases {
		violations, ok := errors.AsType[placement.Violations]((&capacity.Strategy{}).Configure([]byte(config)))
		if !ok || len(violations) != 1 || violations[0].Field != field {
			t.Errorf("Configure(%s): want a violation of %q, got %v", config, field, violations)
		}
	}
}
