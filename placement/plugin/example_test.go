package plugin_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// What an operator does: one host for its life, and a question for each Machine.
func ExampleHost() {
	host := plugin.NewHost(plugin.Options{
		Dir: "/no/such/directory",
		Entries: []plugin.Entry{
			{Name: "annotation", SHA256: "6f2a216356cb09c5cf4edbaeb4bb21beb843a18933b3e849a1227c3f25f581b1"},
		},
	})
	if err := host.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = host.Close() }()
	_, trace, err := host.Place(context.Background(), placement.Given(placement.Request{
		Machine: placement.Machine{Namespace: "shop", Name: "db-0"},
	}))
	if hold, ok := placement.AsHold(err); ok {
		fmt.Println(hold.Reason, hold.RetryAfter)
	}
	fmt.Println(trace)
	// Output:
	// StrategyUnavailable 5s
	// annotation: Failed (plugin "annotation" is unavailable: plugin directory: lstat /no: no such file or directory)
}

// TestExamplePlugin builds the plugin of the README's quick start and holds it to the contract as a
// process.
func TestExamplePlugin(t *testing.T) {
	opts := options(t)
	opts.Dir = filepath.Join(opts.TempDir, "plugins")
	if err := os.Mkdir(opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile("../examples/zone/main.go"); err != nil { // so that a change of it is not answered from the cache
		t.Fatal(err)
	}
	path := filepath.Join(opts.Dir, "placement-zone")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "../examples/zone")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the plugin: %v\n%s", err, out)
	}
	digest, err := plugin.Digest(path)
	if err != nil {
		t.Fatal(err)
	}
	opts.Entries = []plugin.Entry{{Name: "zone", SHA256: digest}}
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	req := request("east", "west")
	req.Machine.Labels = map[string]string{"zone": "north"}
	req.Candidates[1].Labels = map[string]string{"zone": "north"}
	if got, _, err := host.Place(t.Context(), placement.Given(req)); err != nil || got.Config != "west" {
		t.Errorf("Place(): %v, %v", got, err)
	}
	placementtest.Run(t, host.Strategy("zone"))
	placementtest.RunRequests(t, host.Strategy("zone"), map[string]placement.Request{"Zone": req})
}
