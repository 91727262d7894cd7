package scenarios

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// world is what all tests of the package share. Each test works in a namespace of its own.
var world struct {
	fleet  *fleet.Fleet
	remote map[string]client.Client // the administrator's, by cluster, with KubeVirt's types
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
	if world.remote, err = remoteClients(world.fleet); err != nil {
		return 1, err
	}
	if code := m.Run(); code != 0 {
		return code, nil
	}
	return 0, checkRights(testflag("run") == "")
}

func remoteClients(f *fleet.Fleet) (map[string]client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	clients := map[string]client.Client{}
	for _, remote := range f.Remotes {
		c, err := client.New(remote.ControlPlane.Config(), client.Options{Scheme: scheme})
		if err != nil {
			return nil, err
		}
		clients[remote.Name] = c
	}
	return clients, nil
}

// testflag is the value of a flag of go test.
func testflag(name string) string { return flag.Lookup("test." + name).Value.String() }
