package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// The plugin directory that all tests share, with the one executable that plays every part.
var pluginDir, faultySHA string

// hostEnv makes this test binary a host that a test can kill; its value is the plugin directory.
const hostEnv = "PLACEMENT_TEST_HOST"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostEnv); dir != "" {
		runHost(dir)
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "plugins-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pluginDir = dir
	faulty := filepath.Join(dir, "faulty")
	build := exec.Command("go", "build", "-trimpath", "-o", faulty, "./internal/faulty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the plugin: %v\n%s", err, out)
		return 1
	}
	if faultySHA, err = plugin.Digest(faulty); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// entry is a plugin that plays the part.
func entry(part string) plugin.Entry {
	return plugin.Entry{Name: part, Path: "faulty", SHA256: faultySHA, Args: []string{part, part}}
}

// quick are limits for tests: short where a test waits for them, long where only a slow machine
// meets them.
var quick = plugin.Limits{
	Start:      20 * time.Second,
	Call:       5 * time.Second,
	BackoffMin: 10 * time.Millisecond,
	BackoffMax: 50 * time.Millisecond,
	Recheck:    20 * time.Millisecond,
}

func options(t *testing.T, entries ...plugin.Entry) plugin.Options {
	t.Helper()
	temp, err := os.MkdirTemp("", "p-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	return plugin.Options{Dir: pluginDir, Entries: entries, TempDir: temp, Limits: quick, Logger: testLogger(t)}
}

func testLogger(t *testing.T) logr.Logger {
	return funcr.New(func(prefix, args string) { t.Log(prefix, args) }, funcr.Options{Verbosity: 1})
}

// start runs a host until the test ends.
func start(t *testing.T, options plugin.Options) *plugin.Host {
	t.Helper()
	host := plugin.NewHost(options)
	if err := host.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
	})
	return host
}

func request(names ...string) placement.Request {
	req := placement.Request{Machine: placement.Machine{Namespace: "ns", Name: "n", UID: "u1"}}
	for _, name := range names {
		req.Candidates = append(req.Candidates, placement.Candidate{
			Name: name, Reachable: true, VM: placement.VM{Presence: placement.Absent},
		})
	}
	return req
}

// patience is for one thing that is waited for, on a loaded machine.
const patience = 60 * time.Second

// eventually checks until check returns nil, and fails the test with the last error where that
// takes too long. It is testkit/eventually once more: this module must not depend on testkit, which
// would bring Kubernetes into the module that authors of plugins require.
func eventually(t *testing.T, within time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s: %v", within, what, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// holds makes a check of a claim that has nothing to tell but whether it holds.
func holds(claim func() bool) func(context.Context) error {
	return func(context.Context) error {
		if !claim() {
			return errors.New("it does not hold")
		}
		return nil
	}
}

// alive reports whether a process runs or is stopped; one that has ended and waits to be reaped is
// neither.
func alive(pid int) bool {
	state := processState(pid)
	return state != "" && state != "Z" && state != "X"
}

// processState is the letter that the kernel gives, "" for no process.
func processState(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}

func state(host *plugin.Host, name string) plugin.Status {
	for _, status := range host.Status() {
		if status.Name == name {
			return status
		}
	}
	return plugin.Status{}
}
