package clusters

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

func TestAssess(t *testing.T) {
	const limit = 150 * time.Second
	away, refused := unreachable("connection refused"),
		failure{ErrForbidden, ReasonForbidden, "may not list and watch vms"}
	type want struct {
		Phase  Phase
		Reason string
		Err    error
	}
	cases := map[string]struct {
		reason string
		facts  facts
		want   want
	}{
		"well": {"nothing is wrong", facts{synced: true, silence: limit},
			want{Connected, ReasonConnected, nil}},
		"filling": {"no client before every kind has synced", facts{silence: limit},
			want{Connecting, ReasonNotSynced, ErrNotSynced}},
		"away": {"silence is not absence", facts{synced: true, probe: away, silence: limit},
			want{Degraded, ReasonUnreachable, ErrNotConnected}},
		"away while filling": {"it was never connected", facts{probe: away, silence: limit},
			want{Connecting, ReasonUnreachable, ErrNotConnected}},
		"forbidden": {"a kind that may not be read is not empty",
			facts{synced: true, gap: gap{lost: refused}, silence: limit}, want{Degraded, ReasonForbidden, ErrForbidden}},
		"forbidden at first": {"the cache will never sync", facts{gap: gap{lost: refused}, silence: limit},
			want{Connecting, ReasonForbidden, ErrForbidden}},
		"silent": {"a watch that delivers nothing may have missed something", facts{synced: true,
			silence: limit, watches: transport.Watches{Silence: limit}}, want{Degraded, ReasonWatchStalled, ErrNotConnected}},
		"quiet": {"a bookmark comes about each minute", facts{synced: true, silence: limit,
			watches: transport.Watches{Silence: limit - 1}}, want{Connected, ReasonConnected, nil}},
		"barren": {"the stream after a stalled one has not delivered either", facts{synced: true,
			silence: limit, watches: transport.Watches{Barren: 1}}, want{Degraded, ReasonWatchStalled, ErrNotConnected}},
		"not watched for a moment": {"a rotation parks watches", facts{synced: true, silence: limit, gap: gap{young: true}},
			want{Connected, ReasonConnected, nil}},
		"not watched for long": {"the cache does not follow",
			facts{synced: true, silence: limit, gap: gap{stalled: true}}, want{Degraded, ReasonWatchStalled, ErrNotConnected}},
		"not watched yet": {"it fills", facts{silence: limit, gap: gap{stalled: true}},
			want{Connecting, ReasonNotSynced, ErrNotSynced}},
		"bad candidate": {"what works goes on working", facts{synced: true, silence: limit, rotation: away},
			want{Connected, ReasonCandidateRefused, nil}},
		"away, bad candidate": {"the graver one is told", facts{synced: true, silence: limit, rotation: away,
			probe: away}, want{Degraded, ReasonUnreachable, ErrNotConnected}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := assess(tc.facts)
			diff := cmp.Diff(tc.want, want{got.phase, got.reason, got.err}, cmp.Comparer(func(a, b error) bool {
				return errors.Is(a, b) && errors.Is(b, a) || a == nil && b == nil
			}))
			if diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if (got.phase == Connected) != (got.err == nil) {
				t.Errorf("clients are handed out if and only if Connected: %+v", got)
			}
			if got.text == "" {
				t.Error("no text")
			}
		})
	}
}
