package machine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// faultyDir is where faulty has built, "" before.
var faultyDir string

// faulty is the plugin that misbehaves as it is told: a program of package placement/plugin, built
// once.
var faulty = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "faulty-")
	if err != nil {
		return "", err
	}
	faultyDir = dir
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "faulty"),
		"github.com/vitistack/kubevirt-multicluster/placement/plugin/internal/faulty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the plugin: %w\n%s", err, out)
	}
	return dir, nil
})

// logBook takes down what a host logs.
type logBook struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (l *logBook) write(_, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintln(&l.lines, args)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// pluginCase is a plugin that misbehaves, and what becomes of a Machine that only it could place.
type pluginCase struct {
	reason string
	part   string
	edit   func(t *testing.T, options *plugin.Options)
	want   string // the condition Placed
	words  string // of its message
	silent bool   // the log has nothing to say: the condition says it
}

// pluginFaults are those of which the plugin's host, and then the chain, make a hold or a refusal.
var pluginFaults = map[string]pluginCase{
	"CrashAtStart": {
		reason: "a process that ends at once is no plugin",
		part:   "exit", want: "PluginUnavailable", words: "exit status 3",
	},
	"CrashInConfigure": {
		reason: "a process that ends on its configuration decides nothing",
		part:   "crash-configure", want: "PluginUnavailable", words: "exit status 4",
	},
	"CrashInDecide": {
		reason: "a process that ends under the question decides nothing",
		part:   "crash", want: "PluginUnavailable", words: "is unavailable",
	},
	"Panic": {
		reason: "a strategy that panics decides nothing",
		part:   "panic", want: "PluginUnavailable", words: "panic: out of",
	},
	"Slow": {
		reason: "an answer that takes a minute comes too late",
		part:   "slow", want: "PluginUnavailable", words: "did not answer in time", silent: true,
	},
	"Stopped": {
		reason: "a process that never shakes hands is not waited for", part: "silent", want: "PluginUnavailable",
		words: "not ready within",
		edit:  func(_ *testing.T, o *plugin.Options) { o.Limits.Start = time.Second },
	},
	"Garbage": {
		reason: "a process that prints something else is no plugin",
		part:   "garbage", want: "PluginUnavailable", words: "Unrecognized remote plugin message",
	},
	"Protocol": {
		reason: "a plugin that speaks another version is not asked",
		part:   "version", want: "PluginUnavailable", words: "incompatible API version",
	},
	"Huge": {
		reason: "a reply of 100 MB is not read",
		part:   "huge", want: "PluginUnavailable", words: "larger than max", silent: true,
	},
	"NoCluster": {
		reason: "an answer that names a cluster that does not exist places nothing",
		part:   "unknown", want: "ConfigNotFound", words: "no-such-cluster not found", silent: true,
	},
	"Digest": {
		reason: "another file than the pinned one is not run",
		part:   "good", want: "PluginUnavailable", words: "pinned sha256", edit: func(_ *testing.T, o *plugin.Options) {
			o.Entries[0].SHA256 = strings.Repeat("0", 64)
		},
	},
	"NoDir": {
		reason: "a directory that is not there has no plugin",
		part:   "good", want: "PluginUnavailable", words: "no such file", edit: func(t *testing.T, o *plugin.Options) {
			o.Dir = filepath.Join(t.TempDir(), "absent")
		},
	},
	"EmptyDir": {
		reason: "a directory that is empty has no plugin",
		part:   "good", want: "PluginUnavailable", words: "no such file", edit: func(t *testing.T, o *plugin.Options) {
			o.Dir = t.TempDir()
		},
	},
	"OthersDir": {
		reason: "a plugin in a directory that others can write is not run",
		part:   "good", want: "PluginUnavailable", words: "writable by group or others", edit: openDir,
	},
	"NoSidecar": {
		reason: "a side-car that is not there decides nothing",
		part:   "good", want: "PluginUnavailable", words: "no such file", edit: noSidecar,
	},
	"NotPinned": {
		reason: "a plugin without a pin is not run",
		part:   "good", want: "PluginUnavailable", words: "no sha256", edit: func(_ *testing.T, o *plugin.Options) {
			o.Entries[0].SHA256 = ""
		},
	},
	"OtherNamed": {
		reason: "a program that serves another strategy is not asked",
		part:   "good", want: "PluginUnavailable", words: `serves strategy "other"`,
		edit: func(_ *testing.T, o *plugin.Options) { o.Entries[0].Args[1] = "other" },
	},
}

// openDir is a copy of the directory that others can write.
func openDir(t *testing.T, o *plugin.Options) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(o.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	o.Dir = dir
}

func noSidecar(t *testing.T, o *plugin.Options) {
	o.Entries[0] = plugin.Entry{Name: "fault", Socket: filepath.Join(t.TempDir(), "s")}
}

// hostOf runs the faulty plugin in one of its parts, under the name "fault", until the test ends.
func hostOf(t *testing.T, part string, book *logBook, edit func(*testing.T, *plugin.Options)) *plugin.Host {
	t.Helper()
	host := startingHostOf(t, part, book, edit)
	_ = host.WaitReady(t.Context())
	return host
}

// startingHostOf is hostOf before the plugin is up.
func startingHostOf(t *testing.T, part string, book *logBook, edit func(*testing.T, *plugin.Options)) *plugin.Host {
	t.Helper()
	dir, err := faulty()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := plugin.Digest(filepath.Join(dir, "faulty"))
	if err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp("", "p-") // short: the path of a socket has some 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	options := plugin.Options{
		Dir: dir, TempDir: temp, Logger: funcr.New(book.write, funcr.Options{}),
		Entries: []plugin.Entry{{Name: "fault", Path: "faulty", SHA256: digest, Args: []string{part, "fault"}}},
		Limits:  plugin.Limits{Call: 2 * time.Second, BackoffMin: time.Hour, BackoffMax: time.Hour},
	}
	if edit != nil {
		edit(t, &options)
	}
	host := plugin.NewHost(options)
	if err := host.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
			t.Errorf("the host has left %v (%v)", left, err)
		}
		_ = os.RemoveAll(temp)
	})
	return host
}

// TestPluginFaults holds that whatever a plugin does, the Machine that needs it waits with a reason
// and an Event, no VirtualMachine is made of it, and other Machines are placed as ever.
func TestPluginFaults(t *testing.T) {
	for name, tc := range pluginFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			book := &logBook{}
			host := hostOf(t, tc.part, book, tc.edit)
			tc.check(t, host)
			if log := book.String(); !tc.silent && !strings.Contains(log, `"strategy"="fault"`) {
				t.Errorf("%s: the log does not say which plugin it was:\n%s", tc.reason, log)
			}
		})
	}
}

func (tc pluginCase) check(t *testing.T, host *plugin.Host) {
	chain := machine.WithPlacement(placement.Chain{{Strategy: placement.Explicit{}}, {Strategy: host.Strategy("fault")}})
	other := newMachine(in(west), func(m *vitistackv1alpha1.Machine) { m.Name, m.UID = "other", anotherUID })
	w := newWorld(t, []string{east, west}, newMachine(), other)
	recorder := events.NewFakeRecorder(20)
	now := clocktesting.NewFakePassiveClock(time.Now())
	r := w.reconciler(chain, machine.WithEvents(recorder), machine.WithClock(now))
	for range 2 { // the second pass meets what the first has left behind, and tells what has lasted
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			t.Errorf("%s: %v", tc.reason, err)
		}
		now.SetTime(now.Now().Add(40 * time.Second))
	}
	status := w.machine().Status.Condition("Placed")
	if status == nil || status.Reason != tc.want {
		t.Fatalf("%s: the condition Placed is %+v, want reason %s", tc.reason, status, tc.want)
	}
	var first string
	select {
	case first = <-recorder.Events:
	default:
		t.Fatalf("%s: there is no Event", tc.reason)
	}
	if !strings.Contains(first, "Warning "+tc.want) || !strings.Contains(first, tc.words) ||
		!strings.Contains(first, `"fault"`) {
		t.Errorf("%s: the Event is %q, want %s because of %q of the plugin fault", tc.reason, first, tc.want, tc.words)
	}
	if got := w.machine().Status.Phase; tc.want == "PluginUnavailable" && got != vitistackv1alpha1.MachinePhasePending {
		t.Errorf("%s: the phase is %s: a plugin's failure must not fail a Machine", tc.reason, got)
	}
	if diff := cmp.Diff("", w.where()); diff != "" {
		t.Errorf("%s: a VirtualMachine was made (-want +got):\n%s", tc.reason, diff)
	}
	request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "other"}}
	for range maxPasses {
		if _, err := w.reconciler(chain).Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		if len(w.vms()) > 0 {
			break
		}
	}
	if diff := cmp.Diff(west+"/vm-other of "+string(anotherUID), w.where()); diff != "" {
		t.Errorf("%s: the other Machine (-want +got):\n%s", tc.reason, diff)
	}
}

// TestPluginChangesItsMind asks a plugin whose decision changes with each call, and crashes after
// each write: the first decision that is recorded stays, and there is one VirtualMachine.
func TestPluginChangesItsMind(t *testing.T) {
	host := hostOf(t, "fickle", &logBook{}, nil)
	for write := range 5 {
		w := newWorld(t, []string{east, west}, newMachine())
		w.after = nth(write)
		_, _ = w.reconcile(machine.WithPlacement(host))
		w.after = nil
		w.mustSettle(machine.WithPlacement(host))
		if got := len(w.vms()); got != 1 {
			t.Errorf("a crash after write %d: %d VirtualMachines: %s", write, got, w.where())
		}
	}
}

// TestPluginIsStarting places a fresh Machine by a plugin that needs presence and is not up yet:
// the clusters are looked into before it is asked, as they are once it is up.
func TestPluginIsStarting(t *testing.T) {
	host := startingHostOf(t, "presence", &logBook{}, func(_ *testing.T, o *plugin.Options) {
		o.Limits.Call = time.Minute // for its start on a loaded machine
	})
	w := newWorld(t, []string{east, west}, newMachine())
	var mu sync.Mutex
	looked := map[string]bool{}
	w.manager.LiveFunc = func(config string) (client.Reader, error) {
		mu.Lock()
		defer mu.Unlock()
		looked[config] = true
		return w.clients[config], nil
	}
	if _, err := w.reconcile(machine.WithPlacement(host), machine.WithFreshness(freshness(true))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{east: true, west: true}, looked); diff != "" {
		t.Errorf("clusters that were looked into (-want +got):\n%s", diff)
	}
	if got := w.machine().Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]; got != east {
		t.Errorf("the Machine is placed in %q, want the choice of the plugin", got)
	}
}
