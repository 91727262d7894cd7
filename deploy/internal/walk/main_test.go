package walk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-containerregistry/pkg/registry"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/node"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/pod"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// operator is the namespace in which the pages install it.
const operator = "kubevirt-operator"

var root = filepath.Join("..", "..", "..")

// world is what a person has before the first page.
var world struct {
	supervisor, east, west *controlplane.Cluster
	registry               string // where images can be pushed to
	clone                  string // the repository, with the kubeconfigs east.kubeconfig and west.kubeconfig
	path                   string // with helm and kubectl
	home                   string
	keeps                  []string // variables that say where Go and make keep what they have built
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
	dir, err := os.MkdirTemp("", "walk-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // the operator's user walks through it
		return 1, err
	}
	world.clone, world.home = filepath.Join(dir, "clone"), filepath.Join(dir, "home")
	if err := os.Mkdir(world.home, 0o755); err != nil {
		return 1, err
	}
	names := exports.NewNames() // so that one cluster can fetch what the other exports
	starting, ctx := errgroup.WithContext(context.Background())
	starting.Go(func() error { return start(ctx, &world.supervisor, "supervisor") })
	starting.Go(func() error { return startRemote(ctx, &world.east, "cluster-east", names) })
	starting.Go(func() error { return startRemote(ctx, &world.west, "cluster-west", names) })
	starting.Go(func() error { return makeClone(ctx) })
	starting.Go(func() error { return makeTools(ctx, filepath.Join(dir, "tools")) })
	err = starting.Wait()
	for _, cluster := range []*controlplane.Cluster{world.supervisor, world.east, world.west} {
		if cluster != nil {
			defer func() { err = errors.Join(err, cluster.Stop()) }()
		}
	}
	if err != nil {
		return 1, err
	}
	if err := writeKubeconfigs(); err != nil {
		return 1, err
	}
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(stdlog.New(io.Discard, "", 0))))
	defer server.Close()
	world.registry = strings.TrimPrefix(server.URL, "http://")
	played, err := node.Start(context.Background(),
		node.Options{Cluster: world.supervisor, Namespace: operator, Folder: dir})
	if err != nil {
		return 1, err
	}
	defer played.Stop()
	return m.Run(), nil
}

func start(ctx context.Context, cluster **controlplane.Cluster, name string) (err error) {
	*cluster, err = controlplane.Start(ctx, controlplane.Options{Name: name})
	return err
}

// startRemote starts a cluster with KubeVirt, which ends with this process.
func startRemote(ctx context.Context, cluster **controlplane.Cluster, name string, names *exports.Names) error {
	if err := start(ctx, cluster, name); err != nil {
		return err
	}
	_, err := kubevirt.Start(context.WithoutCancel(ctx), *cluster, kubevirt.Options{Mode: kubevirt.Real, Names: names})
	return err
}

// makeClone makes a clone of the repository, as it is now.
func makeClone(ctx context.Context) error {
	const script = `git clone -q . "$1" && git ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' file; do [ -f "$file" ] && printf '%s\0' "$file"; done | tar --null -T - -c | tar -x -C "$1"`
	return command(ctx, root, "bash", "-euo", "pipefail", "-c", script, "-", world.clone)
}

// makeTools builds what a person has beside the repository.
func makeTools(ctx context.Context, folder string) error {
	if err := command(ctx, ".", "go", "build", "-trimpath", "-o", folder+"/", "helm.sh/helm/v4/cmd/helm"); err != nil {
		return err
	}
	kubectl, err := filepath.EvalSymlinks(filepath.Join(root, "bin", "kubectl"))
	if err != nil {
		return fmt.Errorf("%w: run `make tools`", err)
	}
	where, err := exec.CommandContext(ctx, "go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOFLAGS").Output()
	if err != nil {
		return err
	}
	kept := map[string]string{}
	if err := json.Unmarshal(where, &kept); err != nil {
		return err
	}
	kept["KUBEVIRT_MULTICLUSTER_CACHE"] = filepath.Dir(filepath.Dir(kubectl))
	for name, value := range kept {
		world.keeps = append(world.keeps, name+"="+value)
	}
	world.path = folder + string(filepath.ListSeparator) + os.Getenv("PATH")
	return os.Symlink(kubectl, filepath.Join(folder, "kubectl"))
}

func command(ctx context.Context, folder, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// writeKubeconfigs puts the administrator's into the clone.
func writeKubeconfigs() error {
	for name, cluster := range map[string]*controlplane.Cluster{
		"supervisor": world.supervisor, "east": world.east, "west": world.west,
	} {
		content, err := cluster.KubeconfigFor(controlplane.Admin)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(world.clone, name+".kubeconfig"), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
