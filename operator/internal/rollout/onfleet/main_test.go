package onfleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
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
	operator *operator.Process
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
	binary := filepath.Join(dir, "operator")
	if err := operator.Build(binary, "../../.."); err != nil {
		return 1, err
	}
	world.fleet, err = fleet.Start(context.Background(),
		fleet.Options{Remotes: 2, KubeVirt: kubevirt.Real, Audit: true, Guest: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	world.operator = &operator.Process{Binary: binary, Log: filepath.Join(dir, "operator.log"), Plugins: pluginDir,
		Fleet: world.fleet}
	if err := world.operator.Start(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.operator.Kill()) }()
	return m.Run(), nil
}
