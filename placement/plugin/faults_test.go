package plugin_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
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
		"Exits":        {reason: "crash at start", part: "exit", want: "it ended: exit status 3"},
		"FactoryFails": {reason: "the strategy cannot be made", part: "factory", want: "it ended: exit status 1"},
		"Configure":    {reason: "crash in configure", part: "crash-configure", want: "it ended: exit status 4"},
		"Silent":       {reason: "never shakes hands", part: "silent", want: "not ready within"},
		"Garbage": {
			reason: "prints something else on stdout",
			part:   "garbage",
			want:   "Unrecognized remote plugin message",
		},
		"LongLine": {reason: "prints without an end", part: "longline", want: "Unrecognized remote plugin message"},
		"Version":  {reason: "speaks another protocol version", part: "version", want: "incompatible API version"},
		"TCP":      {reason: "wants to be called over the network", part: "tcp", want: "only unix sockets are allowed"},
		"NetRPC":   {reason: "speaks go-plugin's other protocol", part: "netrpc", want: "unsupported plugin protocol"},
		"NoSocket": {reason: "names a socket that is not there", part: "nosocket", want: "asking what it is"},
		"WrongDigest": {
			reason: "another executable",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.SHA256 = strings.Repeat("0", 64) },
			want:   "pinned sha256",
		},
		"Unpinned": {
			reason: "nobody has said which executable",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.SHA256 = "" },
			want:   "no sha256",
		},
		"Schema": {
			reason: "a configuration against its own schema never reaches it",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Config = json.RawMessage(`{"zone":7}`) },
			want:   "/properties/zone",
		},
		"Missing": {
			reason: "no such file",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Path = "absent" },
			want:   "no such file",
		},
		"Outside": {
			reason: "a path that leaves the directory",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Path = "../../../../../../../../bin/sh" },
			want:   "outside",
		},
		"Directory": {
			reason: "not a file",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Path = "." },
			want:   "not a regular file",
		},
		"WrongName": {
			reason: "the executable of another strategy",
			part:   "good",
			edit:   func(e *plugin.Entry) { e.Args[1] = "search" },
			want:   `serves strategy "search"`,
		},
		"Configuration": {
			reason: "a configuration that it refuses",
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
			_, trace, err := host.Chain().Place(t.Context(), request("east"))
			hold, held := placement.AsHold(err)
			if !held || hold.Reason != placement.ReasonStrategyUnavailable {
				t.Errorf("\n%s\nPlace(): want a hold, got %v (%v)", tc.reason, err, trace)
			}
		})
	}
}

// TestFaultsInDecide asks a plugin that starts well.
func TestFaultsInDecide(t *testing.T) {
	cases := map[string]struct {
		reason string
		part   string
		want   placement.Decision
		err    string // part of the error
		dies   bool
	}{
		"Good":  {reason: "the measure of the others", part: "good", want: placement.Decision{Config: "east"}},
		"Crash": {reason: "the process ends under the call", part: "crash", err: "connection broke", dies: true},
		"Panic": {reason: "a panic is an error of that call alone", part: "panic", err: `failed: panic: out of`},
		"Error": {reason: "only the first line is shown", part: "error", err: `failed: first line`},
		"Huge":  {reason: "a reply beyond the limit", part: "huge", err: "failed: "},
		"LongReason": {
			reason: "texts are clipped, reasons made well-formed",
			part:   "longreason",
			err:    strings.Repeat("é", 512) + "…",
		},
		"Unknown": {
			reason: "a cluster that does not exist",
			part:   "unknown",
			err:    "KubevirtConfig no-such-cluster not found",
		},
		"Flood": {reason: "100,000 log lines", part: "flood", want: placement.Decision{Config: "east"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := options(t, entry(tc.part))
			opts.Limits.Call = 30 * time.Second
			opts.Limits.BackoffMin, opts.Limits.BackoffMax = time.Hour, time.Hour
			host := start(t, opts)
			got, trace, err := host.Chain().Place(t.Context(), request("east", "west"))
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
			eventually(t, "the plugin is "+string(want), func() bool { return state(host, tc.part).State == want })
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
	eventually(t, "the process is stopped", func() bool { return processState(pid) == "T" })
	strategy := host.Strategies()[0]
	for range 2 {
		_, err := strategy.Place(t.Context(), request("east"))
		if _, ok := errors.AsType[plugin.Unavailable](err); !ok {
			t.Errorf("Place() of a stopped plugin: want Unavailable, got %v", err)
		}
	}
	eventually(t, "the stopped process is gone", func() bool { return !alive(pid) })
	eventually(t, "a new one answers", func() bool {
		got, err := strategy.Place(t.Context(), request("east"))
		return err == nil && got.Config == "east"
	})
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
	slow, good := host.Strategies()[0], host.Strategies()[1]
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

// TestDirectories holds that whoever else can write a plugin's place can not have it run.
func TestDirectories(t *testing.T) {
	cases := map[string]struct {
		reason  string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		"Missing": {
			reason:  "not mounted",
			prepare: func(t *testing.T, dir string) { remove(t, dir) },
			want:    "no such file",
		},
		"Empty": {reason: "mounted too early", prepare: func(*testing.T, string) {}, want: "no such file"},
		"GroupFile": {
			reason:  "the file is writable by the group",
			prepare: func(t *testing.T, dir string) { install(t, dir, 0o775) },
			want:    "writable by group or others",
		},
		"OtherFile": {
			reason:  "the file is writable by others",
			prepare: func(t *testing.T, dir string) { install(t, dir, 0o757) },
			want:    "writable by group or others",
		},
		"GroupDir": {reason: "the directory is writable by the group", prepare: func(t *testing.T, dir string) {
			install(t, dir, 0o755)
			chmod(t, dir, 0o775)
		}, want: "writable by group or others"},
		"NotExecutable": {
			reason:  "no right to run it",
			prepare: func(t *testing.T, dir string) { install(t, dir, 0o644) },
			want:    "permission denied",
		},
		"LinkOutside": {reason: "a link that leaves the directory", prepare: func(t *testing.T, dir string) {
			if err := os.Symlink(filepath.Join(pluginDir, "faulty"), filepath.Join(dir, "faulty")); err != nil {
				t.Fatal(err)
			}
		}, want: "outside of the plugin directory"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			opts := options(t, entry("good"))
			opts.Dir = filepath.Join(opts.TempDir, "plugins")
			if err := os.Mkdir(opts.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
			tc.prepare(t, opts.Dir)
			opts.Limits.BackoffMin, opts.Limits.BackoffMax = time.Hour, time.Hour
			host := start(t, opts)
			err := host.WaitReady(t.Context())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("\n%s\nWaitReady(): want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

// TestLinkInside is how projected volumes look.
func TestLinkInside(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Dir = filepath.Join(opts.TempDir, "plugins")
	if err := os.MkdirAll(filepath.Join(opts.Dir, "..data"), 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, filepath.Join(opts.Dir, "..data"), 0o755)
	if err := os.Symlink("..data/faulty", filepath.Join(opts.Dir, "faulty")); err != nil {
		t.Fatal(err)
	}
	if err := start(t, opts).WaitReady(t.Context()); err != nil {
		t.Errorf("WaitReady(): %v", err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// install puts the executable into a directory. It is a copy, under a new name first, as an init
// container would do it.
func install(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(pluginDir, "faulty"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "faulty")
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	chmod(t, path+".new", mode)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
