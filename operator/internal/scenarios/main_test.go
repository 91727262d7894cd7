package scenarios

import (
	"context"
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

// world is what all tests of the package share. Each test works in a namespace of its own.
var world struct {
	fleet  *fleet.Fleet
	binary string
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
	dir, err := os.MkdirTemp("", "scenarios-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	world.binary = filepath.Join(dir, "operator")
	build := exec.Command("go", "build", "-race", "-trimpath", "-o", world.binary, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the operator: %w: %s", err, out)
	}
	world.fleet, err = fleet.Start(context.Background(), fleet.Options{Remotes: 3, KubeVirt: kubevirt.Light, Audit: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = world.fleet.Stop() }()
	return m.Run(), nil
}
