package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// world is what the test runs in.
var world struct {
	fleet      *fleet.Fleet
	supervisor client.Client
	remote     map[string]client.Client // the administrator's, by cluster, with KubeVirt's types

	former, present version
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
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "upgrade-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if world.former, err = formerVersion(ctx); err != nil {
		return 1, err
	}
	if world.present, err = presentVersion(ctx, dir); err != nil {
		return 1, err
	}
	world.fleet, err = fleet.Start(ctx, fleet.Options{Remotes: 2, KubeVirt: kubevirt.Real, Audit: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	if err := connect(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// connect makes the clients of the test.
func connect() error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, kubevirtv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	world.supervisor, world.remote = world.fleet.Supervisor.Client(), map[string]client.Client{}
	for _, remote := range world.fleet.Remotes {
		c, err := client.New(remote.ControlPlane.Config(), client.Options{Scheme: scheme})
		if err != nil {
			return err
		}
		world.remote[remote.Name] = c
	}
	return nil
}
