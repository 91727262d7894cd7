package plugin_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// TestCrashesQuarantine lets a plugin crash at start until the host gives up, and gives it another
// file.
func TestCrashesQuarantine(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Entries[0].Args[0] = "exit"
	opts.Entries[0].SHA256, opts.AllowUnpinned = "", true
	opts.Dir = filepath.Join(opts.TempDir, "plugins")
	if err := os.Mkdir(opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	install(t, opts.Dir, 0o755)
	observer := &recorder{}
	opts.Observer = observer
	host := start(t, opts)
	quarantined := func() bool { return state(host, "good").State == plugin.Quarantined }
	eventually(t, patience, "the plugin is quarantined", holds(quarantined))
	if got := state(host, "good").Restarts; got != 4 {
		t.Errorf("quarantined after %d restarts, want 4: five crashes", got)
	}

	_, _, err := host.Place(t.Context(), placement.Given(request("east")))
	if hold, ok := placement.AsHold(err); !ok || !strings.Contains(hold.Message, "it failed too often") {
		t.Errorf("Place(): want a hold that says why, got %v", err)
	}

	path := filepath.Join(opts.Dir, "faulty")
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("another file, but no better"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "another file gets another chance",
		holds(func() bool { return state(host, "good").Restarts > 4 }))
	eventually(t, patience, "the plugin is quarantined again", holds(quarantined))
	if observer.count("restart start") < 5 || observer.count("state Quarantined") != 2 {
		t.Errorf("the observer saw %v", observer.seen())
	}
}

// TestQuarantineEnds has a plugin crash until what it misses is there: nobody has to replace a file
// that is right.
func TestQuarantineEnds(t *testing.T) {
	opts := options(t, entry("exit-without"))
	missing := filepath.Join(opts.TempDir, "missing")
	opts.Entries[0].Args = append(opts.Entries[0].Args, missing)
	opts.Limits.Crashes, opts.Limits.CrashWindow = 1, 200*time.Millisecond
	observer := &recorder{}
	opts.Observer = observer
	host := start(t, opts)
	eventually(t, patience, "the plugin is quarantined a second time",
		holds(func() bool { return observer.count("state Quarantined") >= 2 }))
	if err := os.WriteFile(missing, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the plugin is ready",
		holds(func() bool { return state(host, "exit-without").State == plugin.Ready }))
}

// TestHostTroubleIsNoCrash takes away the folder for sockets, as a cleaner of temporary files does,
// while a plugin ends once.
func TestHostTroubleIsNoCrash(t *testing.T) {
	opts := options(t, entry("good"))
	opts.Limits.Crashes = 2
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	folder := host.TempDirPath()
	remove(t, folder)
	if err := syscall.Kill(host.PID("good"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the host has tried more often than a plugin may crash",
		holds(func() bool { return state(host, "good").Restarts > 2*opts.Limits.Crashes }))
	want := "the host could not start it: folder for the socket: "
	if got := state(host, "good"); got.State == plugin.Quarantined {
		t.Errorf("the plugin is quarantined for the host's trouble: %+v", got)
	}
	eventually(t, patience, "the status tells the host's trouble",
		holds(func() bool { return strings.Contains(state(host, "good").Reason, want) }))
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the plugin is ready", holds(func() bool { return state(host, "good").State == plugin.Ready }))
}

// TestKilledPluginComesBack kills a healthy plugin from outside.
func TestKilledPluginComesBack(t *testing.T) {
	opts := options(t, entry("good"))
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := host.PID("good")
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "another process is ready",
		holds(func() bool { pid := host.PID("good"); return pid != 0 && pid != before }))
	if _, _, err := host.Place(t.Context(), placement.Given(request("east"))); err != nil {
		t.Errorf("Place() after the restart: %v", err)
	}
}

// TestChildrenDieWithTheirPlugin holds for a plugin that starts a process of its own, which keeps
// the log's pipe open.
func TestChildrenDieWithTheirPlugin(t *testing.T) {
	host := start(t, options(t, entry("child")))
	decision, _, err := host.Place(t.Context(), placement.Given(request("east")))
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(decision.Reason)
	if err != nil || !alive(child) {
		t.Fatalf("no child: %v", decision)
	}
	before := host.PID("child")
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the child is gone", holds(func() bool { return !alive(child) }))
	eventually(t, patience, "the plugin is back",
		holds(func() bool { pid := host.PID("child"); return pid != 0 && pid != before }))
}

// TestEnvironmentIsEmpty lists what a plugin gets.
func TestEnvironmentIsEmpty(t *testing.T) {
	t.Setenv("KUBECONFIG", "/secret")
	host := start(t, options(t, entry("environment")))
	decision, _, err := host.Place(t.Context(), placement.Given(request("east")))
	if err != nil {
		t.Fatal(err)
	}
	want := plugin.CookieKey +
		",PLUGIN_MIN_PORT,PLUGIN_MAX_PORT,PLUGIN_PROTOCOL_VERSIONS,PLUGIN_CLIENT_CERT,PLUGIN_UNIX_SOCKET_DIR"
	if diff := cmp.Diff(want, decision.Reason); diff != "" {
		t.Errorf("environment: -want, +got:\n%s", diff)
	}
}

// TestNoOpenFileIsInherited opens a file in the host and looks for it in the plugin.
func TestNoOpenFileIsInherited(t *testing.T) {
	opts := options(t, entry("files"))
	path := filepath.Join(opts.TempDir, "secret")
	secret, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = secret.Close() }()
	decision, _, err := start(t, opts).Place(t.Context(), placement.Given(request("east")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(decision.Reason, "pipe:") || strings.Contains(decision.Reason, "secret") {
		t.Errorf("open files of the plugin: %s", decision.Reason)
	}
}

// TestCloseLeavesNothing closes hosts in every state of their plugins.
func TestCloseLeavesNothing(t *testing.T) {
	goroutines, files := goleak.IgnoreCurrent(), openFiles(t)
	for _, part := range []string{"good", "exit", "silent", "garbage", "crash-configure", "nosocket"} {
		for _, wait := range []bool{false, true} {
			opts := options(t, entry(part), entry("well"))
			opts.Limits.Start = time.Second
			host := plugin.NewHost(opts)
			if err := host.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if wait {
				_ = host.WaitReady(t.Context())
			}
			pid := host.PID("well")
			if err := host.Close(); err != nil {
				t.Errorf("%s: Close(): %v", part, err)
			}
			if pid != 0 && alive(pid) {
				t.Errorf("%s: process %d outlives its host", part, pid)
			}
			if left, err := os.ReadDir(opts.TempDir); err != nil || len(left) > 0 {
				t.Errorf("%s: left behind: %v (%v)", part, left, err)
			}
			_, _, err := host.Place(t.Context(), placement.Given(request("east")))
			if _, ok := errors.AsType[plugin.Unavailable](err); !ok {
				t.Errorf("%s: Place() after Close(): want Unavailable, got %v", part, err)
			}
		}
	}
	if err := goleak.Find(goroutines); err != nil {
		t.Error(err)
	}
	eventually(t, patience, "all files are closed", holds(func() bool { return openFiles(t) <= files }))
}

// TestLongRestarts crashes a plugin 200 times and looks for what is left of it.
func TestLongRestarts(t *testing.T) {
	opts := options(t, entry("crash"))
	opts.Limits.Crashes, opts.Limits.BackoffMin, opts.Limits.BackoffMax = 1000, time.Millisecond, time.Millisecond
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	strategy := host.Strategy("crash")
	crash := func(times int) {
		for range times {
			before := host.PID("crash")
			_, _ = strategy.Place(t.Context(), request("east"))
			eventually(t, patience, "it is back",
				holds(func() bool { pid := host.PID("crash"); return pid != 0 && pid != before }))
		}
	}
	crash(3) // what is made once
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	crash(200)
	eventually(t, patience, "no more goroutines than before",
		holds(func() bool { return runtime.NumGoroutine() <= goroutines }))
	eventually(t, patience, "no more files than before", holds(func() bool { return openFiles(t) <= files }))
	if sockets, err := filepath.Glob(filepath.Join(host.TempDirPath(), "*", "plugin-dir*")); err != nil || len(sockets) != 1 {
		t.Errorf("want the one socket folder of the plugin that runs, got %v (%v)", sockets, err)
	}
}

// TestLongChaos asks three plugins from many goroutines while a fourth kills, stops and wakes their
// processes at random. Every answer is right or Unavailable, and in the end all are well.
func TestLongChaos(t *testing.T) {
	names := []string{"a", "b", "c"}
	var entries []plugin.Entry
	for _, name := range names {
		e := entry(name)
		e.Args = []string{"good", name}
		entries = append(entries, e)
	}
	opts := options(t, entries...)
	opts.Limits.Call, opts.Limits.Crashes = 500*time.Millisecond, 1_000_000
	opts.Logger = logr.Discard()
	host := start(t, opts)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var callers sync.WaitGroup
	var answered, unavailable atomic.Int64
	for _, name := range names {
		strategy := host.Strategy(name)
		for range 4 {
			callers.Go(func() {
				for ctx.Err() == nil {
					decision, err := strategy.Place(ctx, request("east", "west"))
					if _, ok := errors.AsType[plugin.Unavailable](err); ok {
						unavailable.Add(1)
						<-time.After(time.Millisecond) // as a requeue would
					} else if err != nil || decision.Config != "east" {
						t.Errorf("Place(): %v, %v", decision, err)
					} else {
						answered.Add(1)
					}
				}
			})
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCONT, syscall.SIGSEGV}
	for ctx.Err() == nil {
		if pid := host.PID(names[random.IntN(len(names))]); pid != 0 {
			_ = syscall.Kill(pid, signals[random.IntN(len(signals))])
		}
		<-time.After(time.Duration(random.IntN(200)) * time.Millisecond)
	}
	callers.Wait()
	t.Logf("%d answers, %d times unavailable", answered.Load(), unavailable.Load())
	if answered.Load() == 0 || unavailable.Load() == 0 {
		t.Error("the chaos hit nothing or everything")
	}
	for _, name := range names {
		strategy := host.Strategy(name)
		eventually(t, patience, strategy.Name()+" answers", holds(func() bool {
			_, err := strategy.Place(t.Context(), request("east"))
			return err == nil
		}))
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// A recorder is an observer that remembers.
type recorder struct {
	mu     sync.Mutex
	events []string
}

func (r *recorder) note(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

func (r *recorder) PluginState(_ string, state plugin.State)            { r.note("state " + string(state)) }
func (r *recorder) PluginRestart(_, cause string)                       { r.note("restart " + cause) }
func (r *recorder) PluginCall(_ string, result string, _ time.Duration) { r.note("call " + result) }

func (r *recorder) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.events...)
}

func (r *recorder) count(event string) int {
	n := 0
	for _, seen := range r.seen() {
		if seen == event {
			n++
		}
	}
	return n
}
