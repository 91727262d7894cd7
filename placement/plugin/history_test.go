package plugin

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
)

func TestHistoryDelay(t *testing.T) {
	cases := map[string]struct {
		reason string
		crash  int
		stable bool
		jitter float64
		want   time.Duration
	}{
		"first crash":    {reason: "the back-off starts at one second", crash: 1, want: time.Second},
		"fourth crash":   {reason: "the back-off doubles with each crash", crash: 4, want: 8 * time.Second},
		"fortieth crash": {reason: "the back-off ends at two minutes", crash: 40, want: 2 * time.Minute},
		"jitter": {
			reason: "jitter adds up to a fifth, so that plugins do not restart in step",
			crash:  1,
			jitter: 0.5,
			want:   1100 * time.Millisecond,
		},
		"jitter at the bound": {
			reason: "jitter does not lift the back-off past its bound",
			crash:  8,
			jitter: 0.99,
			want:   2 * time.Minute,
		},
		"crash after a minute of being ready": {
			reason: "a minute of being ready starts the back-off anew",
			crash:  6,
			stable: true,
			want:   time.Second,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			past := history{limits: Limits{}.withDefaults()}
			for i := range tc.crash {
				if tc.stable && i == tc.crash-1 {
					past.ran(time.Minute)
				}
				past.crashed(time.Unix(0, 0))
			}
			if diff := cmp.Diff(tc.want, past.delay(tc.jitter)); diff != "" {
				t.Errorf("\n%s\ndelay(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestHistoryHopeless(t *testing.T) {
	cases := map[string]struct {
		reason string
		every  time.Duration
		count  int
		missed bool
		want   bool
	}{
		"four crashes": {
			reason: "four crashes in ten minutes do not quarantine a plugin",
			every:  time.Second,
			count:  4,
			want:   false,
		},
		"five crashes": {
			reason: "five crashes within ten minutes quarantine a plugin",
			every:  2 * time.Minute,
			count:  5,
			want:   true,
		},
		"a crash every three minutes": {
			reason: "a crash every three minutes never gathers five in ten",
			every:  3 * time.Minute,
			count:  50,
			want:   false,
		},
		"file that is missing": {
			reason: "a file that is not there has not crashed",
			every:  time.Second,
			count:  50,
			missed: true,
			want:   false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			past := history{limits: Limits{}.withDefaults()}
			for i := range tc.count {
				if tc.missed {
					past.missed()
					continue
				}
				past.crashed(time.Unix(0, 0).Add(time.Duration(i) * tc.every))
			}
			if past.hopeless() != tc.want {
				t.Errorf("\n%s\nhopeless(): want %v", tc.reason, tc.want)
			}
			if past.forget(); past.hopeless() {
				t.Errorf("\n%s\nforget() must start anew", tc.reason)
			}
		})
	}
}

func TestHistoryTerms(t *testing.T) {
	crashes := func(h *history) {
		for range h.limits.Crashes {
			h.crashed(time.Unix(0, 0))
		}
	}
	cases := map[string]struct {
		reason   string
		happens  func(h *history)
		hopeless bool
		want     time.Duration // of the term that begins then
	}{
		"first quarantine": {
			reason:   "the first quarantine lasts as long as the window of crashes",
			happens:  crashes,
			hopeless: true,
			want:     10 * time.Minute,
		},
		"no crash since the quarantine": {
			reason:  "after a quarantine the plugin gets a try",
			happens: func(h *history) { crashes(h); h.term(); h.probe() },
			want:    20 * time.Minute,
		},
		"crash after the quarantine": {
			reason:   "a single crash after a quarantine begins the next one, which is longer",
			happens:  func(h *history) { crashes(h); h.term(); h.probe(); h.crashed(time.Unix(0, 0)) },
			hopeless: true,
			want:     20 * time.Minute,
		},
		"the host's own trouble after the quarantine": {
			reason:  "what is not the plugin's fault does not use up its try",
			happens: func(h *history) { crashes(h); h.term(); h.probe(); h.missed() },
			want:    20 * time.Minute,
		},
		"crash after a stable run": {
			reason: "a plugin that was ready for a minute after its quarantine is as good as new",
			happens: func(h *history) {
				crashes(h)
				h.term()
				h.probe()
				h.ran(time.Minute)
				h.crashed(time.Unix(0, 0))
			},
			want: 10 * time.Minute,
		},
		"twentieth quarantine": {
			reason: "terms do not grow for ever: a person must not wait for weeks",
			happens: func(h *history) {
				for range 20 {
					h.term()
					h.probe()
				}
			},
			want: 320 * time.Minute,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			past := history{limits: Limits{}.withDefaults()}
			tc.happens(&past)
			if past.hopeless() != tc.hopeless {
				t.Errorf("\n%s\nhopeless(): want %v", tc.reason, tc.hopeless)
			}
			if diff := cmp.Diff(tc.want, past.term()); diff != "" {
				t.Errorf("\n%s\nterm(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestForkFails has the kernel refuse a process, as it does where files or memory are used up.
func TestForkFails(t *testing.T) {
	program, err := verify(Options{Dir: "/bin", AllowUnpinned: true}, Entry{Path: "true"})
	if err != nil {
		t.Fatal(err)
	}
	defer program.close()
	for _, refused := range []syscall.Errno{syscall.EMFILE, syscall.ENOMEM, syscall.EAGAIN} {
		start := launch{
			entry: Entry{Name: "a"}, executable: program, dir: filepath.Join(t.TempDir(), "0"), timeout: time.Minute,
			spawn: func(func() error) error { return refused },
			log:   newHostLog(logr.Discard(), Options{}.withDefaults()),
		}
		_, err := start.run(t.Context())
		if _, early := errors.AsType[notRun](err); !early || !strings.Contains(reasonOf(err), "the host could not start it") {
			t.Errorf("%v: want the host's own trouble, got %v", refused, err)
		}
	}
}

func TestPulse(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	type beat struct {
		began, ended int
		timeout      bool
	}
	cases := map[string]struct {
		reason string
		beats  []beat
		want   int // how often it was called hung
	}{
		"one time-out": {
			reason: "a call that was slow once does not mean that the plugin hangs",
			beats:  []beat{{0, 2, true}},
		},
		"two time-outs in a row": {
			reason: "two calls in a row without an answer mean that the plugin hangs",
			beats:  []beat{{0, 2, true}, {2, 4, true}},
			want:   1,
		},
		"eight time-outs at the same time": {
			reason: "eight calls that were in flight together are one sign, not eight",
			beats:  []beat{{0, 2, true}, {0, 2, true}, {1, 3, true}},
		},
		"answer between two time-outs": {
			reason: "an answer between two time-outs shows that the plugin works",
			beats:  []beat{{0, 2, true}, {2, 3, false}, {3, 5, true}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			hung := 0
			p := pulse{hung: func() { hung++ }}
			for _, b := range tc.beats {
				p.beat(at(b.began), at(b.ended), b.timeout)
			}
			if diff := cmp.Diff(tc.want, hung); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLimiter(t *testing.T) {
	now := time.Unix(0, 0)
	l := limiter{perSecond: 2, now: func() time.Time { return now }}
	passed := 0
	for range 10 {
		if allowed, _ := l.allow(); allowed {
			passed++
		}
	}
	now = now.Add(time.Second)
	allowed, dropped := l.allow()
	if passed != 2 || !allowed || dropped != 8 {
		t.Errorf("want 2 to pass and 8 to be reported as dropped, got %d and %d (%v)", passed, dropped, allowed)
	}
}
