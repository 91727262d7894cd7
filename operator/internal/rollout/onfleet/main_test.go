package onfleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	east = "cluster-east"
	west = "cluster-west"
	// pluginDir is where `make tools` puts the placement plugins.
	pluginDir = "../../../../bin/plugins"
)

// world is what all tests of the package share.
var world struct {
	fleet    *fleet.Fleet
	operator *process
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
	dir, err := os.MkdirTemp("", "rollouts-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	world.operator = &process{binary: filepath.Join(dir, "operator"), log: filepath.Join(dir, "operator.log")}
	build := exec.Command("go", "build", "-trimpath", "-o", world.operator.binary, "../../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the operator: %w: %s", err, out)
	}
	world.fleet, err = fleet.Start(context.Background(),
		fleet.Options{Remotes: 2, KubeVirt: kubevirt.Real, Audit: true, Guest: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	if err := world.operator.start(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.operator.kill()) }()
	return m.Run(), nil
}

// process is the operator, which is killed and started again.
type process struct {
	binary, log string
	cmd         *exec.Cmd
}

func (p *process) start() error {
	plugins, err := filepath.Abs(pluginDir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(plugins, "SHA256SUMS")); err != nil {
		return fmt.Errorf("the placement plugins are missing, run `make tools`: %w", err)
	}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	p.cmd = exec.Command(p.binary, "--kubeconfig="+world.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
		"--plugin-dir="+plugins)
	p.cmd.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace, "LOG_LEVEL=debug"}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	return p.cmd.Start()
}

// kill ends the operator without a warning.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it says that it was killed
	return nil
}
