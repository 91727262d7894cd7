package lifelong

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
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
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

const (
	east = "cluster-east"
	west = "cluster-west"
	// pluginDir is where `make tools` puts the placement plugins. Without them every Machine would
	// wait.
	pluginDir = "../../../bin/plugins"
)

// world is what all tests of the package share.
var world struct {
	fleet      *fleet.Fleet
	supervisor client.Client
	remote     map[string]client.Client // the administrator's, by cluster, with KubeVirt's types
	log        string                   // the path of the operator's log
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	flag.Parse()
	// Most of each test is waiting, so that the processors' number, the default, would not do.
	if err := flag.Set("test.parallel", "40"); err != nil {
		panic(err)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "lifelong-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "operator")
	if err := operator.Build(binary, "../.."); err != nil {
		return 1, err
	}
	world.fleet, err = fleet.Start(context.Background(), fleet.Options{Remotes: 2, KubeVirt: kubevirt.Real, Audit: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	if err := connect(); err != nil {
		return 1, err
	}
	world.log = filepath.Join(dir, "operator.log")
	// As people do where the public operator was: a VirtualMachine has its Machine's name. And one
	// test's deletions do not hold the next one's.
	process := &operator.Process{Binary: binary, Log: world.log, Plugins: pluginDir, Fleet: world.fleet,
		Args: []string{"--deletion-brake=off"}, Env: []string{"VM_NAME_PREFIX="}}
	if err := process.Start(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, process.Stop()) }()
	return m.Run(), nil
}

// connect makes the clients of the tests.
func connect() error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
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
