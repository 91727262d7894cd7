package fitting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

// world is what all tests of the package share.
var world struct {
	fleet  *fleet.Fleet
	remote []client.Client // the administrator's, with KubeVirt's types
	dir    string          // has the operator, and kubectl-machine, which is the same file
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if world.dir, err = os.MkdirTemp("", "fitting-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(world.dir)
	binary := filepath.Join(world.dir, "operator")
	if err := operator.Build(binary, "../.."); err != nil {
		return 1, err
	}
	if err := os.Symlink(binary, filepath.Join(world.dir, "kubectl-machine")); err != nil {
		return 1, err
	}
	ctx := context.Background()
	world.fleet, err = fleet.Start(ctx, fleet.Options{Remotes: clusters, KubeVirt: kubevirt.Light, Audit: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	scheme, err := app.NewScheme()
	if err != nil {
		return 1, err
	}
	for _, remote := range world.fleet.Remotes {
		c, err := client.New(remote.ControlPlane.Config(), client.Options{Scheme: scheme})
		if err != nil {
			return 1, err
		}
		world.remote = append(world.remote, c)
	}
	if err := differ(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// answer is what a person sees of one command.
type answer struct {
	out, err string
	code     int
}

func (a answer) String() string { return fmt.Sprintf("code %d\n%s%s", a.code, a.out, a.err) }

// ask runs kubectl machine as the administrator of the supervisor.
func ask(t *testing.T, typed string, args ...string) answer {
	t.Helper()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(world.dir, "kubectl-machine"), args...)
	cmd.Env = []string{"KUBECONFIG=" + world.fleet.Supervisor.Kubeconfig(), "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(typed), &out, &err
	cmd.Dir = t.TempDir()
	a := answer{}
	if failed := cmd.Run(); failed != nil {
		var exit *exec.ExitError
		if !errors.As(failed, &exit) {
			t.Fatal(failed)
		}
		a.code = exit.ExitCode()
	}
	a.out, a.err = out.String(), err.String()
	return a
}

// says fails unless the answer has a code and all of some words.
func (a answer) says(t *testing.T, code int, words ...string) {
	t.Helper()
	for _, each := range words {
		if !strings.Contains(a.out+a.err, each) {
			t.Errorf("it does not say %q: %s", each, a)
		}
	}
	if a.code != code {
		t.Errorf("it ends with %d, want %d: %s", a.code, code, a)
	}
}

// plugins is the folder of the placement plugins.
func plugins(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../bin/plugins")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "placement-fit")); err != nil {
		t.Fatalf("the placement plugins are missing: run `make bin`: %v", err)
	}
	return dir
}

// startOperator runs the operator as it is deployed, until the test ends.
func startOperator(t *testing.T, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "operator.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(world.dir, "operator"), append([]string{
		"--kubeconfig=" + world.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0", "--plugin-dir=" + plugins(t),
		"--deletion-brake=off", // one test's deletions do not hold the next one's
	}, args...)...)
	cmd.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the operator ended with %v", err)
		}
		if content, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the operator's log ends with:\n%s", content[max(0, len(content)-6000):])
		}
		_ = log.Close()
	})
}
