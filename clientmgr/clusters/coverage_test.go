package clusters

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestKindsThatCannotBeRead(t *testing.T) {
	type answer struct {
		resource string
		watch    bool
		status   int
	}
	cases := map[string]struct {
		reason  string
		answers []answer
		later   time.Duration
		want    string
		err     error
		young   bool
		woken   int
	}{
		"nothing": {reason: "all is well", answers: []answer{{"vms", false, 200}, {"vms", true, 200}}},
		"forbidden": {
			reason: "a resuming watch has waited a 403 out already", answers: []answer{{"vms", false, 403}},
			want: "may not list and watch vms", err: ErrForbidden, woken: 1,
		},
		"granted again": {reason: "the watch is back",
			answers: []answer{{"vms", true, 403}, {"vms", false, 200}, {"vms", true, 200}}, woken: 1},
		"listed alone": {reason: "a list without a watch is the past in a second", answers: []answer{{"vms", true, 403},
			{"vms", false, 200}}, want: "may not list and watch vms", err: ErrForbidden, woken: 1},
		"too old": {reason: "a restart of the only server: a list follows", answers: []answer{{"vms", true, 410}},
			later: coverageGrace},
		"a moment": {reason: "one failed list is no loss", answers: []answer{{"vms", false, 500}},
			later: coverageGrace - 1, young: true, woken: 1},
		"webhook": {
			reason:  "a conversion webhook is down: every list fails, every probe succeeds",
			answers: []answer{{"vms", false, 500}, {"vms", false, 500}}, later: coverageGrace,
			want: "the server answers with status 500 for vms", err: ErrNotConnected, woken: 1,
		},
		"definition removed": {
			reason: "the cache must not read as empty", answers: []answer{{"vms", true, 404}, {"dvs", true, 404}},
			later: coverageGrace,
			want:  "the server does not serve dvs, vms any more", err: ErrKindNotServed, woken: 2,
		},
		"silence": {reason: "nothing comes back", answers: []answer{{"vms", true, noAnswer}}, later: coverageGrace,
			want: "no answer for vms", err: ErrNotConnected, woken: 1},
		"graver": {reason: "a person must act on the 403", answers: []answer{{"vms", true, 404}, {"dvs", true, 403}},
			later: coverageGrace, want: "may not list and watch dvs", err: ErrForbidden, woken: 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
			woken := 0
			c := coverage{clock: clock, wake: func() { woken++ }}
			for _, a := range tc.answers {
				c.answered(a.resource, a.watch, a.status)
			}
			clock.SetTime(clock.Now().Add(tc.later))
			got := c.gap()
			text := ""
			if got.lost != nil {
				text = got.lost.Error()
			}
			if diff := cmp.Diff(tc.want, text); diff != "" || !errors.Is(got.lost, tc.err) || got.young != tc.young ||
				woken != tc.woken {
				t.Errorf("%s: %+v, woken %d: -want +got:\n%s", tc.reason, got, woken, diff)
			}
		})
	}
}

func TestWatchesThatAreNotOpen(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
	c := coverage{clock: clock, wake: func() {}, want: 2}
	wants := func(reason string, want gap) {
		t.Helper()
		if got := c.gap(); got != want {
			t.Errorf("%s: want %+v, got %+v", reason, want, got)
		}
	}
	open := func() io.Closer {
		c.answered("vms", true, http.StatusOK)
		return c.body(io.NopCloser(strings.NewReader("")))
	}
	first, second := open(), open()
	wants("both kinds are watched", gap{})
	_ = first.Close()
	_ = first.Close()
	wants("a watch has just ended", gap{young: true})
	clock.SetTime(clock.Now().Add(coverageGrace))
	wants("its opening hangs: nobody else would tell", gap{stalled: true})
	first = open()
	wants("it is back", gap{})
	c.doubt()
	_ = second.Close()
	wants("a silent watch was cut: it must not look well until the next one is open", gap{stalled: true})
	second = open()
	wants("it is open", gap{})
	_ = second.Close()
	wants("the doubt is over", gap{young: true})
	_ = first.Close()
}
