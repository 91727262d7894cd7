package installation

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"net/http/httptest"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/image"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/pod"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// quiet takes what nobody reads.
var quiet = stdlog.New(io.Discard, "", 0)

// patience bounds whatever programs do by themselves, on a busy machine.
const patience = 2 * time.Minute

var root = filepath.Join("..", "..", "..")

// world is what the tests share.
var world struct {
	supervisor, remote           *controlplane.Cluster
	supervisorAdmin, remoteAdmin client.Client
	programs                     image.Programs
	config                       *v1.ConfigFile // of the image that was pulled
	dir                          string
}

func TestMain(m *testing.M) {
	pod.Main()
	log.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if world.dir, err = os.MkdirTemp("", "installation-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(world.dir)
	if err := os.Chmod(world.dir, 0o755); err != nil { // the operator's user walks through it
		return 1, err
	}
	starting, ctx := errgroup.WithContext(context.Background())
	starting.Go(func() error { return startSupervisor(ctx) })
	starting.Go(func() error { return startRemote(ctx) })
	starting.Go(func() error { return buildImage(ctx) })
	err = starting.Wait()
	for _, cluster := range []*controlplane.Cluster{world.supervisor, world.remote} {
		if cluster != nil {
			defer func() {
				if stopped := cluster.Stop(); err == nil {
					err = stopped
				}
			}()
		}
	}
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func startSupervisor(ctx context.Context) (err error) {
	world.supervisor, err = controlplane.Start(ctx, controlplane.Options{
		Name: "supervisor", AuditLog: filepath.Join(world.dir, "audit.log"),
	})
	if err != nil {
		return err
	}
	world.supervisorAdmin, err = administrator(world.supervisor)
	return err
}

func startRemote(ctx context.Context) (err error) {
	if world.remote, err = controlplane.Start(ctx, controlplane.Options{Name: "cluster-east"}); err != nil {
		return err
	}
	if world.remoteAdmin, err = administrator(world.remote); err != nil {
		return err
	}
	// It ends with the process: its agent runs in it, and nothing else of it does.
	_, err = kubevirt.Start(context.WithoutCancel(ctx), world.remote, kubevirt.Options{Mode: kubevirt.Light})
	return err
}

func administrator(cluster *controlplane.Cluster) (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.New(cluster.Config(), client.Options{Scheme: scheme})
}

// buildImage builds the image for this machine, pushes it to a registry and pulls it again: what
// runs is what a node would get.
func buildImage(ctx context.Context) (err error) {
	const architecture = goruntime.GOARCH
	world.programs, err = image.Compile(ctx, root, architecture, filepath.Join(world.dir, "programs"))
	if err != nil {
		return err
	}
	built, err := image.Build(image.Options{
		Version: "v0.1.0", Created: time.Unix(0, 0), Programs: map[string]image.Programs{architecture: world.programs},
	})
	if err != nil {
		return err
	}
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(quiet)))
	defer server.Close()
	reference := strings.TrimPrefix(server.URL, "http://") + "/kubevirt-operator:v0.1.0"
	if _, err := built.Push(ctx, reference); err != nil {
		return err
	}
	tag, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	pulled, err := remote.Image(tag, remote.WithContext(ctx), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
	if err != nil {
		return err
	}
	if world.config, err = pulled.ConfigFile(); err != nil {
		return err
	}
	return pod.Unpack(pulled, filepath.Join(world.dir, "root"))
}
