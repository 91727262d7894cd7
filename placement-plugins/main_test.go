package plugins_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/annotation"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/capacity"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/defaultconfig"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/fit"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/labels"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/search"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/single"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/spread"
)

// strategies are the default chain, in the order of docs/specification.md.
var strategies = []placement.Strategy{
	annotation.Strategy{}, defaultconfig.Strategy{}, single.Strategy{}, search.Strategy{},
}

// others are the strategies that people add to it.
var others = []placement.Strategy{&labels.Strategy{}, &spread.Strategy{}, &capacity.Strategy{}, &fit.Strategy{}}

// binaries is where TestMain puts the programs.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "plugins-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "./cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the plugins: %v\n%s", err, out)
		return 1
	}
	binaries = dir
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// inProcess is the default chain without a host.
func inProcess() placement.Chain {
	var chain placement.Chain
	for _, strategy := range strategies {
		chain = append(chain, placement.Link{Strategy: strategy})
	}
	return chain
}

// A placer answers where Machines go.
type placer interface {
	Place(ctx context.Context, gather placement.Gather) (placement.Decision, placement.Trace, error)
}

// execd is the default chain as processes.
func execd(tb testing.TB) placer {
	tb.Helper()
	host := newHost(tb, strategies)
	if err := host.WaitReady(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return host
}

// newHost runs the programs of the strategies until the test ends.
func newHost(tb testing.TB, strategies []placement.Strategy) *plugin.Host {
	tb.Helper()
	var entries []plugin.Entry
	for _, strategy := range strategies {
		entries = append(entries, entry(tb, strategy.Name()))
	}
	return startHost(tb, entries, tempDir(tb))
}

// entry is the program of a strategy.
func entry(tb testing.TB, name string) plugin.Entry {
	tb.Helper()
	digest, err := plugin.Digest(filepath.Join(binaries, "placement-"+name))
	if err != nil {
		tb.Fatal(err)
	}
	return plugin.Entry{Name: name, SHA256: digest}
}

// startHost runs a host until the test ends.
func startHost(tb testing.TB, entries []plugin.Entry, temp string) *plugin.Host {
	tb.Helper()
	host := plugin.NewHost(plugin.Options{
		Dir: binaries, TempDir: temp, Entries: entries,
		Limits: plugin.Limits{Call: 20 * time.Second}, // what is asked here is the answer, on a busy machine too
	})
	if err := host.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := host.Close(); err != nil {
			tb.Errorf("Close(): %v", err)
		}
	})
	return host
}

// tempDir has a short name: the path of a socket has some 100 bytes.
func tempDir(tb testing.TB) string {
	tb.Helper()
	temp, err := os.MkdirTemp("", "p-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(temp) })
	return temp
}

// sidecars runs the programs of the strategies on sockets, and a host that is connected to them.
func sidecars(tb testing.TB, strategies []placement.Strategy) *plugin.Host {
	tb.Helper()
	temp := tempDir(tb)
	var entries []plugin.Entry
	for _, strategy := range strategies {
		socket := filepath.Join(temp, strategy.Name())
		cmd := exec.CommandContext(tb.Context(), filepath.Join(binaries, "placement-"+strategy.Name()))
		cmd.Env = []string{plugin.SocketKey + "=" + socket}
		if err := cmd.Start(); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		entries = append(entries, plugin.Entry{Name: strategy.Name(), Socket: socket})
	}
	for _, entry := range entries {
		for deadline := time.Now().Add(time.Minute); ; <-time.After(5 * time.Millisecond) {
			if conn, err := net.Dial("unix", entry.Socket); err == nil {
				_ = conn.Close()
				break
			}
			if time.Now().After(deadline) {
				tb.Fatalf("no program listens on %s", entry.Socket)
			}
		}
	}
	host := startHost(tb, entries, temp)
	if err := host.WaitReady(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return host
}
