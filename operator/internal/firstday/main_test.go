package firstday

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
	remote map[string]client.Client // the administrator's, by cluster, with KubeVirt's types
	dir    string                   // has the operator, and kubectl-machine, which is the same file
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
	if world.dir, err = os.MkdirTemp("", "firstday-"); err != nil {
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
	world.fleet, err = fleet.Start(context.Background(), fleet.Options{Remotes: 2, KubeVirt: kubevirt.Light})
	if err != nil {
		return 1, err
	}
	defer func() { err = world.fleet.Stop() }()
	scheme, err := app.NewScheme()
	if err != nil {
		return 1, err
	}
	world.remote = map[string]client.Client{}
	for _, remote := range world.fleet.Remotes {
		world.remote[remote.Name], err = client.New(remote.ControlPlane.Config(), client.Options{Scheme: scheme})
		if err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}
