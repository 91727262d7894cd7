package plugin_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// nodeSidecar runs the README's example in JavaScript on a socket until the test ends.
func nodeSidecar(t *testing.T, socket string) *exec.Cmd {
	t.Helper()
	const dir = "../examples/node"
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		t.Fatalf("the packages of %s are missing: run `make tools`: %v", dir, err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "plugin.js")
	cmd.Dir = dir
	cmd.Env = []string{plugin.SocketKey + "=" + socket, "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, patience, "the side-car listens", holds(func() bool { return listens(socket) }))
	return cmd
}

// TestOtherLanguage holds a strategy in JavaScript to the contract, beside one in Go of the same
// answers.
func TestOtherLanguage(t *testing.T) {
	opts := options(t)
	socket := filepath.Join(opts.TempDir, "s")
	cmd := nodeSidecar(t, socket)
	opts.Entries = []plugin.Entry{{Name: "zone-js", Socket: socket, Config: json.RawMessage(`{"key":"site"}`)}}
	host := start(t, opts)
	if err := host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := func(site string) placement.Request {
		req := request("east", "west")
		req.Candidates[0].Labels, req.Candidates[1].Labels = map[string]string{"site": "a"}, map[string]string{"site": "b"}
		if site != "" {
			req.Machine.Labels = map[string]string{"site": site}
		}
		return req
	}
	cases := map[string]struct {
		site string
		want placement.Decision
		err  error
	}{
		"no label":           {want: placement.Decision{Reason: "the machine has no label site"}},
		"label of a cluster": {site: "b", want: placement.Decision{Config: "west", Reason: "same site"}},
		"label of no cluster": {
			site: "c",
			err:  placement.Refusal{Reason: "NoSuchZone", Message: "no KubevirtConfig has the label site=c"},
		},
	}
	strategy := host.Strategy("zone-js")
	requests := map[string]placement.Request{}
	for name, tc := range cases {
		requests[name] = in(tc.site)
		got, err := strategy.Place(t.Context(), in(tc.site))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", name, diff)
		}
		if diff := cmp.Diff(tc.err, err); diff != "" {
			t.Errorf("%s: -want error, +got:\n%s", name, diff)
		}
	}
	placementtest.RunRequests(t, strategy, requests)
	refused := []plugin.Entry{{Name: "zone-js", Socket: socket, Config: json.RawMessage(`{"key":""}`)}}
	if err := host.Update(t.Context(), refused); err == nil ||
		!strings.Contains(err.Error(), "key: must be a name of a label") {
		t.Errorf("a configuration against its own schema: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the host sees its end",
		holds(func() bool { return state(host, "zone-js").State == plugin.Backoff }))
	nodeSidecar(t, socket)
	eventually(t, patience, "another one answers", holds(func() bool {
		got, err := strategy.Place(t.Context(), in("a"))
		return err == nil && got.Config == "east"
	}))
}
