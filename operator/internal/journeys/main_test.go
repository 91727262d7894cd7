package journeys

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
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/operator"
)

const (
	east  = "cluster-east"
	west  = "cluster-west"
	north = "cluster-north"
	// pluginDir is where `make tools` puts the placement plugins.
	pluginDir = "../../../bin/plugins"
)

// world is what all tests of the package share.
var world struct {
	fleet      *fleet.Fleet
	supervisor client.Client
	remote     map[string]client.Client // the administrator's, by cluster, with KubeVirt's types
	clusters   map[string]*fleet.Cluster
	binary     string
	operator   *operator.Process
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "journeys-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	world.binary = filepath.Join(dir, "operator")
	if err := operator.Build(world.binary, "../.."); err != nil {
		return 1, err
	}
	world.fleet, err = fleet.Start(context.Background(),
		fleet.Options{Remotes: 3, KubeVirt: kubevirt.Real, Audit: true, Moves: true, Terminate: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.fleet.Stop()) }()
	if err := connect(); err != nil {
		return 1, err
	}
	world.operator = &operator.Process{Binary: world.binary, Log: filepath.Join(dir, "operator.log"), Plugins: pluginDir,
		Fleet: world.fleet, Args: []string{"--deletion-brake=off"}} // one test's deletions do not hold the next one's
	if err := world.operator.Start(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, world.operator.Stop()) }()
	return m.Run(), nil
}

// connect makes the clients of the tests.
func connect() error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme, exportv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	world.supervisor, world.remote = world.fleet.Supervisor.Client(), map[string]client.Client{}
	world.clusters = map[string]*fleet.Cluster{}
	for _, remote := range world.fleet.Remotes {
		c, err := client.New(remote.ControlPlane.Config(), client.Options{Scheme: scheme})
		if err != nil {
			return err
		}
		world.remote[remote.Name], world.clusters[remote.Name] = c, remote
	}
	return nil
}
