package scenarios

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	clientgoscheme "k8s.io/client-go/kubernetes/scheme"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// account is the operator's service account, in every cluster.
const account = "kubevirt-operator"

// TestDeploy installs what kustomize renders on an API server that has seen nothing of us, and runs
// the operator as its Deployment says: as that service account, with those arguments and that
// environment.
func TestDeploy(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "deployed", AuditLog: filepath.Join(t.TempDir(), "audit.log")})
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := client.New(plane.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{}
	for _, object := range apply(t, admin, "supervisor") {
		if object.GetKind() == "Deployment" {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, deployment); err != nil {
				t.Fatal(err)
			}
		}
	}
	admitted(t, admin, deployment)

	east := cluster(t, "cluster-east")
	apply(t, world.remote["cluster-east"], "remote")
	remote := kubeconfigOf(t, east.ControlPlane, world.remote["cluster-east"])
	own := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(own, kubeconfigOf(t, plane, admin), 0o600); err != nil {
		t.Fatal(err)
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	args := append([]string{"--kubeconfig=" + own}, container.Args...)
	args = append(args, "--leader-election-namespace="+deployment.Namespace, "--metrics-bind-address=127.0.0.1:0")
	env := []string{"LOG_JSON=false"}
	for _, variable := range container.Env {
		env = append([]string{variable.Name + "=" + variable.Value}, env...)
	}
	startWith(t, args, env...)

	apply(t, admin, "samples")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace,
		Name: "cluster-east-kubeconfig"}}
	patch := client.MergeFrom(secret.DeepCopy())
	secret.StringData = map[string]string{vitistackv1alpha1.KubeconfigSecretKey: string(remote)}
	if err := admin.Patch(t.Context(), secret, patch); err != nil {
		t.Fatal(err)
	}
	m := &vitistackv1alpha1.Machine{}
	key := client.ObjectKey{Namespace: "default", Name: "my-machine"}
	eventually(t, patience, func() string {
		if err := admin.Get(t.Context(), key, m); err != nil {
			t.Fatal(err)
		}
		if m.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
			return "the sample is " + string(m.Status.Phase) + ": " + m.Status.FailureMessage
		}
		return ""
	})
	if err := admin.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, func() string {
		if err := admin.Get(t.Context(), key, m); err == nil {
			return "the sample is still there"
		}
		return ""
	})
}

// apply renders a kustomization of deploy/ and applies it.
func apply(t *testing.T, c client.Client, name string) []*unstructured.Unstructured {
	t.Helper()
	objects := rendered(t, filepath.Join("deploy", name))
	applyObjects(t, c, objects)
	return objects
}

// rendered are the objects of a kustomization, by its path from the repository's root.
func rendered(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	kubectl := filepath.Join("..", "..", "..", "bin", "kubectl")
	text, err := exec.CommandContext(t.Context(), kubectl, "kustomize", filepath.Join("..", "..", "..", path)).Output()
	if err != nil {
		t.Fatalf("rendering %s: run `make tools`: %v", path, err)
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}

// applyObjects applies objects, each as soon as its kind is served.
func applyObjects(t *testing.T, c client.Client, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		eventually(t, 20*time.Second, func() string {
			err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"),
				client.ForceOwnership)
			if err != nil {
				return object.GetKind() + " " + object.GetName() + ": " + err.Error()
			}
			return ""
		})
	}
}

// admitted creates, without doing it, a Pod as the Deployment would: its namespace enforces the
// restricted Pod Security Standard.
func admitted(t *testing.T, c client.Client, deployment *appsv1.Deployment) {
	t.Helper()
	if deployment.Spec.Replicas == nil || *deployment.Spec.Replicas != 2 {
		t.Errorf("%v replicas", deployment.Spec.Replicas)
	}
	container := deployment.Spec.Template.Spec.Containers[0]
	if only := container.SecurityContext.ReadOnlyRootFilesystem; only == nil || !*only {
		t.Error("the root file system can be written")
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: deployment.Namespace, Name: "as-deployed"},
		Spec: deployment.Spec.Template.Spec}
	if err := c.Create(t.Context(), pod.DeepCopy(), client.DryRunAll); err != nil {
		t.Errorf("the Pod is not admitted: %v", err)
	}
	pod.Spec.SecurityContext, pod.Spec.Containers[0].SecurityContext = nil, nil
	if err := c.Create(t.Context(), pod, client.DryRunAll); err == nil || !strings.Contains(err.Error(), "restricted") {
		t.Errorf("a Pod that may do more is admitted, so the test above proves nothing: %v", err)
	}
}

// kubeconfigOf is a kubeconfig with a token of the operator's service account.
func kubeconfigOf(t *testing.T, plane *controlplane.Cluster, admin client.Client) []byte {
	t.Helper()
	request := &authenticationv1.TokenRequest{}
	of := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account, Name: account}}
	if err := admin.SubResource("token").Create(t.Context(), of, request); err != nil {
		t.Fatal(err)
	}
	content, err := controlplane.Kubeconfig{
		Cluster: plane.Name(), User: account, Server: "https://" + plane.Addr(), CA: plane.ServingCA(),
		Token: request.Status.Token,
	}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return content
}
