package monitoring

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// pluginDir is where `make tools` puts the placement plugins.
const pluginDir = root + "/bin/plugins"

// strategies are the default ones, and one in a side-car, which can be stopped.
const strategies = `strategies:
- name: annotation
- name: default
- name: single
- name: search
- name: spread
  socket: %s
`

// program is a process of the test with its log, which can be started again.
type program struct {
	path string
	args []string
	env  []string
	log  string
	cmd  *exec.Cmd
}

// start starts the program. When the test ends it is stopped.
func start(t *testing.T, name string, p *program) *program {
	t.Helper()
	p.log = filepath.Join(t.TempDir(), name+".log")
	must(t, p.begin())
	t.Cleanup(func() {
		if err := p.end(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if content, err := os.ReadFile(p.log); t.Failed() && err == nil {
			t.Logf("the log of %s ends with:\n%s", name, content[max(0, len(content)-6000):])
		}
	})
	return p
}

func (p *program) begin() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, log, log
	return p.cmd.Start()
}

// end stops the program as a kubelet would. It can be called twice.
func (p *program) end() error {
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	err = errors.Join(err, p.cmd.Wait())
	p.cmd = nil
	return err
}

// installed is the operator as it is deployed, and the side-car that it asks.
type installed struct {
	operator, sidecar *program
	plugins           string // the folder of the other strategies
	metrics           string // host and port
	placement         string // the file of strategies
	strategies        string // its content
}

// install starts both, and waits until the operator leads.
func install(t *testing.T) *installed {
	t.Helper()
	plugins := copyPlugins(t)
	sockets, err := os.MkdirTemp("", "spread-") // a socket's path is short
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(sockets)) })
	socket := filepath.Join(sockets, "spread.sock")
	port, err := controlplane.ReservePort(0)
	must(t, err)
	t.Cleanup(func() { must(t, port.Close()) })
	i := &installed{
		plugins: plugins, metrics: fmt.Sprintf("127.0.0.1:%d", port.Number), placement: filepath.Join(t.TempDir(), "placement.yaml"),
		strategies: fmt.Sprintf(strategies, socket),
	}
	must(t, os.WriteFile(i.placement, []byte(i.strategies), 0o600))
	i.sidecar = start(t, "sidecar", &program{
		path: filepath.Join(plugins, "placement-spread"), env: []string{"PLACEMENT_SOCKET=" + socket},
	})
	i.operator = start(t, "operator", &program{
		path: world.binary,
		args: []string{
			"--kubeconfig=" + world.fleet.OperatorKubeconfig(), "--leader-elect", "--leader-election-namespace=" + own,
			"--metrics-bind-address=" + i.metrics, "--health-probe-bind-address=0", "--plugin-dir=" + plugins,
			"--placement-config=" + i.placement,
			// What is looked at each ten minutes is looked at each few seconds, as rules are scaled.
			"--look-interval=5s",
			"--deletion-brake=off", // a fault ends with the deletion of its Machines; what is held is said by a test
		},
		env: []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace},
	})
	must(t, until(t.Context(), "the operator leads", func(ctx context.Context) error {
		text, err := i.scrape(ctx)
		if err == nil && !strings.Contains(text, "\noperator_machines{") {
			err = errors.New("it counts no Machines yet")
		}
		return err
	}))
	return i
}

// copyPlugins copies the placement plugins into a folder of the test.
func copyPlugins(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(pluginDir, "SHA256SUMS")); err != nil {
		t.Fatalf("the placement plugins are missing: run `make tools`: %v", err)
	}
	folder := filepath.Join(t.TempDir(), "plugins")
	must(t, os.CopyFS(folder, os.DirFS(pluginDir)))
	return folder
}

// kill ends the process of a plugin that the operator runs, as a crash would.
func (i *installed) kill(plugin string) error {
	processes, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return err
	}
	for _, exe := range processes {
		path, err := os.Readlink(exe)
		if err != nil || strings.TrimSuffix(path, " (deleted)") != filepath.Join(i.plugins, plugin) {
			continue // it has ended, or is somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(exe)))
		if err != nil {
			return err
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return errors.New("it does not run")
}

// quarantined reports whether the log says that a plugin is.
func (i *installed) quarantined() bool {
	content, err := os.ReadFile(i.operator.log)
	return err == nil && strings.Contains(string(content), "Quarantined placement plugin")
}

// replace puts a new build of the strategy search beside the one there is, and tells the operator
// its digest.
func (i *installed) replace(plugin string) error {
	content, err := os.ReadFile(filepath.Join(i.plugins, plugin))
	if err != nil {
		return err
	}
	content = append(content, "a new build"...)
	if err := os.WriteFile(filepath.Join(i.plugins, plugin+"-next"), content, 0o755); err != nil {
		return err
	}
	entry := fmt.Sprintf("- name: search\n  path: %s-next\n  sha256: %x\n", plugin, sha256.Sum256(content))
	i.strategies = strings.Replace(i.strategies, "- name: search\n", entry, 1)
	return os.WriteFile(i.placement, []byte(i.strategies), 0o600)
}

// scrape reads the metrics.
func (i *installed) scrape(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.metrics+"/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return string(content), err
}

// reload gives the operator strategies that it refuses, and then the former ones without the last.
func (i *installed) reload(ctx context.Context) error {
	for _, each := range []struct{ content, result string }{
		{"strategies: nonsense\n", "refused"}, {i.strategies[:strings.Index(i.strategies, "- name: spread")], "changed"},
	} {
		if err := os.WriteFile(i.placement, []byte(each.content), 0o600); err != nil {
			return err
		}
		err := until(ctx, "the strategies are "+each.result, func(ctx context.Context) error {
			text, err := i.scrape(ctx)
			if err == nil && !strings.Contains(text, `operator_placement_reloads_total{result="`+each.result+`"}`) {
				err = errors.New("they are not")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
