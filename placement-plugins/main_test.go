package plugins_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/annotation"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/default_"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/search"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/single"
)

// strategies are the four in the order of seed.md.
var strategies = []placement.Strategy{annotation.Strategy{}, default_.Strategy{}, single.Strategy{}, search.Strategy{}}

// binaries is where TestMain puts the four programs.
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

// inProcess is the chain of the four without a host.
func inProcess() placement.Chain {
	var chain placement.Chain
	for _, strategy := range strategies {
		chain = append(chain, placement.Link{Strategy: strategy})
	}
	return chain
}

// execd is the chain of the four as processes.
func execd(tb testing.TB) placement.Chain {
	tb.Helper()
	temp, err := os.MkdirTemp("", "p-")
	if err != nil {
		tb.Fatal(err)
	}
	options := plugin.Options{Dir: binaries, TempDir: temp}
	for _, strategy := range strategies {
		name := strategy.Name()
		digest, err := plugin.Digest(filepath.Join(binaries, "placement-"+name))
		if err != nil {
			tb.Fatal(err)
		}
		options.Entries = append(options.Entries, plugin.Entry{Name: name, SHA256: digest})
	}
	host := plugin.NewHost(options)
	if err := host.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := host.Close(); err != nil {
			tb.Errorf("Close(): %v", err)
		}
		_ = os.RemoveAll(temp)
	})
	if err := host.WaitReady(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return host.Chain()
}
