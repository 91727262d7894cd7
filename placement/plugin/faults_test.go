package plugin_test

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// TestFaultsAtStart runs a plugin that never becomes ready beside one that is well.
func TestFaultsAtStart(t *testing.T) {
	cases := map[string]struct {
		reason string
		part   string
		edit   func(entry *plugin.Entry)
		want   string // part of the status' reason
	}{
		"exits at once": {
			reason: "a plugin that ends at its start is told with its exit status",
			part:   "exit",
			want:   "it ended: exit status 3",
		},
		"factory fails": {
			reason: "a plugin whose strategy cannot be made ends, and its exit status is told",
			part:   "factory",
			want:   "it ended: exit status 1",
		},
		"crashes while it is configured": {
			reason: "a plugin that ends while it is configured is told with its exit status",
			part:   "crash-configure",
			want:   "it ended: exit status 4",
		},
		"never shakes hands": {
			reason: "a plugin that stays silent is given up after the time that it has to start",
			part:   "silent",
			want:   "not ready within",
		},
		"prints garbage in place of the handshake": {
			reason: "a plugin that prints something else than the handshake is not one",
			part:   "garbage",
			want:   "Unrecognized remote plugin message",
		},
		"prints a line without an end": {
			reason: "a plugin that never ends its line must not fill the memory of the host",
			part:   "longline",
			want:   "Unrecognized remote plugin message",
		},
		"speaks another protocol version": {
			reason: "a plugin of another protocol version is refused",
			part:   "version",
			want:   "incompatible API version",
		},
		"offers a network address": {
			reason: "a plugin on a network address could be called by others, so it is refused",
			part:   "tcp",
			want:   "only unix sockets are allowed",
		},
		"speaks net-rpc": {
			reason: "the other protocol of go-plugin has no types, so it is refused",
			part:   "netrpc",
			want:   "unsupported plugin protocol",
		},
		"names a socket that is not there": {
			reason: "a plugin that names a socket that does not exist cannot be asked",
			part:   "nosocket",
			want:   "asking what it is",
		},
		"digest differs": {
			reason: "an executable other than the pinned one is not started",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.SHA256 = strings.Repeat("0", 64) },
			want:   "pinned sha256",
		},
		"no digest": {
			reason: "an executable that is not pinned is not started",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.SHA256 = "" },
			want:   "no sha256",
		},
		"schema without an end": {
			reason: "a schema that refers to itself takes the plugin's stack and not the host's",
			part:   "schema-loop",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":"a"}`) },
			want:   "it ended: exit status 2",
		},
		"schema that takes days": {
			reason: "a schema that doubles its work at each level takes the plugin's time and not the host's",
			part:   "schema-maze",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":"a"}`) },
			want:   "not ready within",
		},
		"finds fault with everything": {
			reason: "a hundred faults of a configuration are not all shown",
			part:   "violations",
			want:   "; 80 more",
		},
		"finds fault with escape sequences": {
			reason: "what a terminal acts on reaches no status",
			part:   "escaped-violations",
			want:   plainText + ": " + plainText,
		},
		"floods with faults": {
			reason: "what a plugin says of its configuration is bounded before it is read",
			part:   "violations-flood",
			want:   "larger than max",
		},
		"configuration against the schema": {
			reason: "a configuration that breaks the schema of the strategy never reaches it",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":7}`) },
			want:   "/properties/zone",
		},
		"no such file": {
			reason: "an executable that does not exist is told",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Path = "absent" },
			want:   "no such file",
		},
		"path is a directory": {
			reason: "a path must lead to a regular file",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Path = "." },
			want:   "not a regular file",
		},
		"executable of another strategy": {
			reason: "an executable that serves another strategy is refused",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Args[1] = "search" },
			want:   `serves strategy "search"`,
		},
		"configuration that the strategy refuses": {
			reason: "a configuration that the strategy refuses is told with its field",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{}`) },
			want:   "zone: is empty",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			bad, well := entry(tc.part), entry("well")
			if tc.edit != nil {
				tc.edit(&bad)
			}
			opts := options(t, bad, well)
			opts.Limits.BackoffMin, opts.Limits.BackoffMax = time.Hour, time.Hour
			if tc.part == "silent" {
				opts.Limits.Start = 2 * time.Second
			}
			host := start(t, opts)
			err := host.WaitReady(t.Context())
			unavailable, ok := errors.AsType[plugin.Unavailable](err)
			if !ok || unavailable.Name != bad.Name {
				t.Fatalf("\n%s\nWaitReady(): want Unavailable of %q, got %v", tc.reason, bad.Name, err)
			}
			if got := state(host, bad.Name); got.State != plugin.Backoff || !strings.Contains(got.Reason, tc.want) {
				t.Errorf("\n%s\nStatus(): want Backoff because of %q, got %+v", tc.reason, tc.want, got)
			}
			if got := state(host, "well"); got.State != plugin.Ready {
				t.Errorf("\n%s\nthe good plugin is held back: %+v", tc.reason, got)
			}
			_, trace, err := host.Place(t.Context(), placement.Given(request("east")))
			hold, held := placement.AsHold(err)
			if !held || hold.Reason != placement.ReasonStrategyUnavailable {
				t.Errorf("\n%s\nPlace(): want a hold, got %v (%v)", tc.reason, err, trace)
			}
		})
	}
}

// plainText is what is left of the text with escape sequences.
const plainText = "no red, link ,  bell  or C1  2J"

// TestFaultsInDecide asks a plugin that starts well.
func TestFaultsInDecide(t *testing.T) {
	cases := map[string]struct {
		reason string
		part   string
		want   placement.Decision
		err    string // part of the error
		dies   bool
	}{
		"answers well": {
			reason: "the other cases are measured against a plugin that works",
			part:   "good",
			want:   placement.Decision{Config: "east"},
		},
		"process ends under the call": {
			reason: "a call to a process that ends fails, and the process is started again",
			part:   "crash",
			err:    "connection broke",
			dies:   true,
		},
		"panics": {
			reason: "a panic is an error of one call, and the process lives on",
			part:   "panic",
			err:    `failed: panic: out of`,
		},
		"error of several lines": {
			reason: "only the first line of an error is shown",
			part:   "error",
			err:    `failed: first line`,
		},
		"reply beyond the limit": {
			reason: "a reply that is too large is refused and does not fill the memory",
			part:   "huge",
			err:    "failed: ",
		},
		"long texts and an odd reason": {
			reason: "texts are clipped, and a reason is made one word, before they reach a condition",
			part:   "longreason",
			err:    strings.Repeat("é", 512) + "…",
		},
		"message with escape sequences": {
			reason: "what a terminal acts on reaches no condition",
			part:   "escapes",
			err:    plainText,
		},
		"reason with escape sequences": {
			reason: "what a terminal acts on reaches no condition, also with a decision",
			part:   "escaped-reason",
			want:   placement.Decision{Config: "east", Reason: plainText},
		},
		"error with escape sequences": {
			reason: "what a terminal acts on reaches no condition, also with an error",
			part:   "escaped-error",
			err:    "failed: " + plainText,
		},
		"odd log lines": {
			reason: "lines that are no records are text, and end neither the log nor the host",
			part:   "odd-log",
			want:   placement.Decision{Config: "east"},
		},
		"cluster that does not exist": {
			reason: "a cluster that does not exist is refused",
			part:   "unknown",
			err:    "KubevirtConfig no-such-cluster not found",
		},
		"100,000 log lines": {
			reason: "a plugin that floods its log still gets its answer through",
			part:   "flood",
			want:   placement.Decision{Config: "east"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := options(t, entry(tc.part))
			opts.Limits.Call = 30 * time.Second
			opts.Limits.BackoffMin, opts.Limits.BackoffMax = time.Hour, time.Hour
			host := start(t, opts)
			got, trace, err := host.Place(t.Context(), placement.Given(request("east", "west")))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want, +got:\n%s", tc.reason, diff)
			}
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("\n%s\nPlace(): want error %q, got %v (%v)", tc.reason, tc.err, err, trace)
			}
			if err != nil && strings.Contains(err.Error(), "second line") {
				t.Errorf("\n%s\nPlace(): more than the first line in %v", tc.reason, err)
			}
			want := plugin.Ready
			if tc.dies {
				want = plugin.Backoff
			}
			eventually(t, patience, "the plugin is "+string(want),
				holds(func() bool { return state(host, tc.part).State == want }))
		})
	}
}

// TestHangIsKilled stops the process: two calls in a row run out of time, then it is killed and
// started again.
func TestHangIsKilled(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Limits.Call = 300 * time.Millisecond
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := host.PID("good")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the process is stopped", holds(func() bool { return processState(pid) == "T" }))
	strategy := host.Strategy("good")
	for range 2 {
		_, err := strategy.Place(t.Context(), request("east"))
		if _, ok := errors.AsType[plugin.Unavailable](err); !ok {
			t.Errorf("Place() of a stopped plugin: want Unavailable, got %v", err)
		}
	}
	eventually(t, patience, "the stopped process is gone", holds(func() bool { return !alive(pid) }))
	eventually(t, patience, "a new one answers", holds(func() bool {
		got, err := strategy.Place(t.Context(), request("east"))
		return err == nil && got.Config == "east"
	}))
}

// TestSlowCallsDoNotBlockOthers fills a slow plugin's slots; a call beyond them gives up by its own
// deadline, and the good plugin answers as before.
func TestSlowCallsDoNotBlockOthers(t *testing.T) {
	opts := options(t, entry("slow"), entry("good"))
	opts.Limits.Call, opts.Limits.ConcurrentCall = time.Second, 1
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	slow, good := host.Strategy("slow"), host.Strategy("good")
	errs := make(chan error)
	for range 2 {
		go func() {
			_, err := slow.Place(t.Context(), request("east"))
			errs <- err
		}()
	}
	if _, err := good.Place(t.Context(), request("east")); err != nil {
		t.Errorf("Place() of the good plugin: %v", err)
	}
	for range 2 {
		if _, ok := errors.AsType[plugin.Unavailable](<-errs); !ok {
			t.Error("Place() of the slow plugin: want Unavailable")
		}
	}
}
