package plugin_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// named is a plugin of a name that plays the part.
func named(name, part string) plugin.Entry {
	e := entry(part)
	e.Name, e.Args = name, []string{part, name}
	return e
}

func zoned(e plugin.Entry, zone string) plugin.Entry {
	e.Config = json.RawMessage(`{"zone":"` + zone + `"}`)
	return e
}

// TestUpdate changes the configuration of a host that runs: what is the same goes on, what is new
// comes first, what is gone leaves nothing.
func TestUpdate(t *testing.T) {
	observer := &recorder{}
	opts := options(t, named("a", "good"), zoned(named("b", "good"), "north"), named("c", "good"))
	opts.Observer = observer
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, b, c := host.PID("a"), host.PID("b"), host.PID("c")
	skipping := named("a", "good")
	skipping.OnError = placement.SkipOnError
	changed := []plugin.Entry{zoned(named("b", "good"), "south"), skipping, named("d", "good")}
	if err := host.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, status := range host.Status() {
		got = append(got, status.Name+" "+string(status.State))
	}
	if diff := cmp.Diff([]string{"b Ready", "a Ready", "d Ready"}, got); diff != "" {
		t.Errorf("Status(): -want, +got:\n%s", diff)
	}
	if host.PID("a") != a {
		t.Error("a plugin that is the same was started again")
	}
	if host.PID("b") == b {
		t.Error("a plugin with another configuration was not started again")
	}
	for _, pid := range []int{b, c} {
		if alive(pid) {
			t.Errorf("process %d outlives its configuration", pid)
		}
	}
	if host.Policies()[1] != placement.SkipOnError {
		t.Error("the error policy is the old one")
	}
	if got, trace, err := host.Place(t.Context(), placement.Given(request("east"))); err != nil || got.Config != "east" || len(trace) != 3 {
		t.Errorf("Place(): %v, %v, %v", got, trace, err)
	}
	if stopped := observer.count("state Stopped"); stopped != 1 {
		t.Errorf("the observer saw %d plugins stop, want the one that was left out: %v", stopped, observer.seen())
	}
}

// TestUpdateIsWholeOrNothing keeps what runs where something of the new configuration cannot.
func TestUpdateIsWholeOrNothing(t *testing.T) {
	bad := named("b", "good")
	bad.SHA256 = strings.Repeat("0", 64)
	cases := map[string]struct {
		reason  string
		entries []plugin.Entry
		want    string
	}{
		"digest differs": {
			reason:  "an update with an executable other than the pinned one changes nothing",
			entries: []plugin.Entry{named("a", "good"), bad},
			want:    "pinned sha256",
		},
		"new plugin crashes at start": {
			reason:  "an update with a plugin that crashes changes nothing",
			entries: []plugin.Entry{named("a", "exit")},
			want:    "exit status 3",
		},
		"new configuration is refused": {
			reason:  "an update that the strategy refuses changes nothing",
			entries: []plugin.Entry{zoned(named("a", "good"), "")},
			want:    "zone: is empty",
		},
		"name given twice": {
			reason:  "an update that lists a name twice makes no sense and changes nothing",
			entries: []plugin.Entry{named("a", "good"), named("a", "good")},
			want:    "listed twice",
		},
	}
	host := start(t, options(t, named("a", "good")))
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := host.PID("a")
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := host.Update(t.Context(), tc.entries)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("\n%s\nUpdate(): want %q, got %v", tc.reason, tc.want, err)
			}
			if got := host.Status(); len(got) != 1 || got[0].State != plugin.Ready || host.PID("a") != pid {
				t.Errorf("\n%s\nStatus(): what ran does not go on: %+v", tc.reason, got)
			}
		})
	}
}

// TestUpdateLosesNoQuestion asks all the time while the configuration changes again and again.
func TestUpdateLosesNoQuestion(t *testing.T) {
	host := start(t, options(t, zoned(named("a", "good"), "0"), named("b", "good")))
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got, trace, err := host.Place(t.Context(), placement.Given(request("east"))); err != nil || got.Config != "east" {
					t.Errorf("Place(): %v, %v, %v", got, trace, err)
					return
				}
			}
		})
	}
	for _, zone := range []string{"1", "2", "3", "4", "5"} {
		if err := host.Update(t.Context(), []plugin.Entry{zoned(named("a", "good"), zone), named("b", "good")}); err != nil {
			t.Errorf("Update(): %v", err)
		}
	}
	close(stop)
	asking.Wait()
}

// TestUpdateDrains lets a slow answer come home, but not for ever.
func TestUpdateDrains(t *testing.T) {
	opts := options(t, named("slow", "slow"))
	opts.Limits.Call, opts.Limits.Drain = time.Minute, 300*time.Millisecond
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		_, err := host.Strategy("slow").Place(t.Context(), request("east"))
		answer <- err
	}()
	go func() { _, _, _ = host.Place(t.Context(), placement.Given(request("east"))) }()
	if err := host.Update(t.Context(), []plugin.Entry{named("a", "good")}); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[plugin.Unavailable](<-answer); !ok {
		t.Error("a question that outlives the drain: want Unavailable")
	}
}

// TestTimeoutOfOne bounds one plugin's answer apart from the others'.
func TestTimeoutOfOne(t *testing.T) {
	slow := named("slow", "slow")
	slow.Timeout, slow.OnError = plugin.Duration(100*time.Millisecond), placement.SkipOnError
	opts := options(t, slow, named("a", "good"))
	opts.Limits.Call = time.Hour
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, trace, err := host.Place(t.Context(), placement.Given(request("east"))); err != nil || got.Config != "east" {
		t.Errorf("Place(): %v, %v, %v", got, trace, err)
	}
}
