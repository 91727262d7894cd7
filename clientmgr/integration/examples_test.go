package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/secrets"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// program is an example that runs.
type program struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what the program prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// since returns what was printed after so many bytes.
func (p *program) since(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()[n:]
}

// startExample builds an example as a reader would, and runs it against the supervisor.
func (f *fixture) startExample(name string) *program {
	f.t.Helper()
	dir := f.t.TempDir()
	binary, file := filepath.Join(dir, name), filepath.Join(dir, "kubeconfig")
	if out, err := exec.CommandContext(f.t.Context(), "go", "build", "-o", binary, "../examples/"+name).CombinedOutput(); err != nil {
		f.t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	f.must(os.WriteFile(file, f.admin(supervisor, supervisor.Addr()), 0o600))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+file)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	p := &program{}
	cmd.Stdout, cmd.Stderr = p, p
	f.must(cmd.Start())
	f.t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 0 {
			f.t.Errorf("%s: %v\n%s", name, err, p.since(0))
		}
	})
	return p
}

// prints waits until a program has printed something after so many bytes.
func (f *fixture) prints(p *program, after int, want string) {
	f.t.Helper()
	eventually.Eventually(f.t, 40*time.Second, "it is printed", func(context.Context) error {
		if out := p.since(after); !strings.Contains(out, want) {
			return fmt.Errorf("want %q in:\n%s", want, out)
		}
		return nil
	})
}

// ensure creates an object that an earlier run of a test may have left.
func (f *fixture) ensure(in *plane, object client.Object) {
	f.t.Helper()
	if err := in.admin.Create(f.t.Context(), object); !apierrors.IsAlreadyExists(err) {
		f.must(err)
	}
	f.t.Cleanup(func() { f.must(client.IgnoreNotFound(in.admin.Delete(context.Background(), object))) })
}

// TestExampleOfSecrets runs the program that a stranger begins with: no type of this project's API,
// clusters that come and go.
func TestExampleOfSecrets(t *testing.T) {
	f := newFixture(t, nil)
	f.ensure(supervisor, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "fleet"}})
	fleet := func(name string, data []byte) *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "fleet", Name: name, Labels: map[string]string{secrets.Label: "true"}},
			Data:       map[string][]byte{secrets.Key: data},
		}
	}
	p := f.startExample("secrets")
	of := fleet("east", f.admin(east, east.Addr()))
	f.ensure(supervisor, of)
	f.prints(p, 0, "east ")
	f.prints(p, 0, "<nil>")
	f.ensure(supervisor, fleet("broken", []byte("no kubeconfig")))
	f.prints(p, 0, "cluster broken: failed to create REST config")
	f.must(supervisor.admin.Delete(t.Context(), of))
	eventually.Eventually(t, 20*time.Second, "the cluster is gone", func(context.Context) error {
		already := len(p.since(0))
		time.Sleep(3 * time.Second)
		if out := p.since(already); strings.Contains(out, "east ") || out == "" {
			return fmt.Errorf("it still prints: %s", out)
		}
		return nil
	})
}

// TestExampleOfKubevirtConfigs runs the program of a platform team.
func TestExampleOfKubevirtConfigs(t *testing.T) {
	f := newFixture(t, nil)
	const namespace = "kubevirt-configs"
	f.ensure(supervisor, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	meta := metav1.ObjectMeta{Namespace: namespace, Name: "shown"}
	f.ensure(supervisor, &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{
		vitistackv1alpha1.KubeconfigSecretKey: f.admin(west, west.Addr()),
	}})
	f.ensure(supervisor, &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta, Spec: vitistackv1alpha1.KubevirtConfigSpec{
		Name: "shown", KubeconfigSecretRef: "shown",
	}})
	p := f.startExample("kubevirtconfigs")
	f.prints(p, 0, "does not serve a declared kind: VirtualMachine.kubevirt.io")
	f.ensure(west, vmDefinition())
	f.prints(p, 0, "shown Connected connected")
	vm := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
		"metadata": map[string]any{"namespace": f.namespace, "name": "guest"},
	}}
	f.ensure(west, vm)
	f.prints(p, 0, "shown "+f.namespace+" guest "+vm.GetResourceVersion())
}

// vmDefinition is the name of KubeVirt's definition, without its schema.
func vmDefinition() *apiextensionsv1.CustomResourceDefinition {
	anything := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "virtualmachines.kubevirt.io"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "kubevirt.io", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{
				Plural: "virtualmachines", Singular: "virtualmachine", Kind: "VirtualMachine", ListKind: "VirtualMachineList",
			},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: anything},
			}},
		},
	}
}
