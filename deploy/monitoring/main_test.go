package monitoring

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	root              = "../.."
	east, west, north = "cluster-east", "cluster-west", "cluster-north"
	// own is the operator's namespace and its service account, in the supervisor and in each remote.
	own = "kubevirt-operator"
	// patience bounds whatever programs do by themselves, on a busy machine.
	patience = 5 * time.Minute
)

// world is what the test runs in.
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
	dir, err := os.MkdirTemp("", "monitoring-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	world.binary = filepath.Join(dir, "operator")
	build := exec.Command("go", "build", "-trimpath", "-o", world.binary, ".")
	build.Dir = filepath.Join(root, "operator")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the operator: %w: %s", err, out)
	}
	// TLS is terminated, so that open watches can be held.
	options := fleet.Options{Remotes: 3, KubeVirt: kubevirt.Light, Terminate: true}
	world.fleet, err = fleet.Start(context.Background(), options)
	if err != nil {
		return 1, err
	}
	defer func() { err = world.fleet.Stop() }()
	return m.Run(), nil
}

func supervisor() client.Client { return world.fleet.Supervisor.Client() }

// remote is a cluster of the fleet, which has it.
func remote(name string) *fleet.Cluster {
	cluster, err := world.fleet.Cluster(name)
	if err != nil {
		panic(err)
	}
	return cluster
}

// until waits until check returns nil; else the error is its last one.
func until(ctx context.Context, what string, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true,
		func(ctx context.Context) (bool, error) {
			last = check(ctx)
			return last == nil, nil
		})
	if err != nil {
		return fmt.Errorf("not within %s: %s: %w", patience, what, last)
	}
	return nil
}
