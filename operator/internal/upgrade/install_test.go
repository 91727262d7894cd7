package upgrade

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// install puts a version's definitions and rights in the place of another's, in all clusters. It
// fails unless there was something to replace.
func install(t *testing.T, v version) {
	t.Helper()
	if count := replace(t, world.supervisor, filepath.Join(v.api, "crds", "vitistack.io_*.yaml")); count < 5 {
		t.Fatalf("%d definitions", count)
	}
	if count := replace(t, world.supervisor, filepath.Join(v.api, "rbac", "supervisor", "*.yaml")); count < 4 {
		t.Fatalf("%d rights in the supervisor", count)
	}
	for _, c := range world.remote {
		if count := replace(t, c, filepath.Join(v.api, "rbac", "remote", "*.yaml")); count < 2 {
			t.Fatalf("%d rights in a remote cluster", count)
		}
	}
}

// replaced are the kinds that a version brings. Namespaces and service accounts stay.
var replaced = []string{
	"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Role", "RoleBinding",
}

// replace does what kubectl replace does, and returns for how many objects.
func replace(t *testing.T, c client.Client, pattern string) (count int) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		for _, object := range read(t, path) {
			if !slices.Contains(replaced, object.GetKind()) {
				continue
			}
			there := &unstructured.Unstructured{}
			there.SetGroupVersionKind(object.GroupVersionKind())
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), there); err != nil {
				t.Fatal(err)
			}
			object.SetResourceVersion(there.GetResourceVersion())
			if err := c.Update(t.Context(), object); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			count++
		}
	}
	return count
}

// read returns the objects of a file.
func read(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if object.GetKind() != "" && object.GetKind() != "Kustomization" {
			objects = append(objects, object)
		}
	}
}

// program is an operator that runs.
type program struct {
	cmd *exec.Cmd
	log string
}

// start starts a version as its Deployment does: with a lease.
func start(t *testing.T, v version) *program {
	t.Helper()
	p := &program{log: filepath.Join(t.TempDir(), "operator.log")}
	file, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p.cmd = exec.Command(v.operator, "--kubeconfig="+world.fleet.OperatorKubeconfig(),
		"--health-probe-bind-address=0", "--plugin-dir="+v.plugins, "--leader-elect",
		"--leader-election-namespace=kubevirt-operator")
	p.cmd.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace, "LOG_LEVEL=debug"}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t); p.tell(t) })
	return p
}

// stop ends the operator as Kubernetes does, and fails the test where it does not end well.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("the operator had ended already: %v", err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the operator ended with %v", err)
	}
	p.cmd = nil
}

// tell prints the end of the log of a test that failed.
func (p *program) tell(t *testing.T) {
	if !t.Failed() {
		return
	}
	content, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	lines := strings.SplitAfter(string(content), "\n")
	t.Logf("the operator's log ends with:\n%s", strings.Join(lines[max(0, len(lines)-40):], ""))
}
