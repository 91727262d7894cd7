package deployment

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

func handover(t *testing.T) []Step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "docs", "handover.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := Steps(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// TestHandoverOrder: the order of the steps is what keeps two operators from running at once.
func TestHandoverOrder(t *testing.T) {
	var got []string
	for _, step := range handover(t) {
		got = append(got, step.Name)
	}
	want := []string{
		"look", "rights", "install", "stop-theirs", "start-ours", "wait", "finalizers",
		"names", "stop-ours", "release", "start-theirs", "remove",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHandover runs the steps of the document on a supervisor as the public operator leaves it,
// without either operator. A step that needs the operator is another test's.
func TestHandover(t *testing.T) {
	s := newScene(t)
	checks := map[string]func(){
		"rights":       s.wantRights,
		"install":      s.wantInstalledAndStopped,
		"stop-theirs":  func() { s.wantReplicas("public", "public-operator", 0) },
		"start-ours":   func() { s.wantReplicas("kubevirt-operator", "kubevirt-operator", 2) },
		"stop-ours":    func() { s.wantReplicas("kubevirt-operator", "kubevirt-operator", 0) },
		"start-theirs": func() { s.wantReplicas("public", "public-operator", 1) },
		"remove":       s.wantMachinesStay,
	}
	for _, step := range handover(t) {
		if step.Needs != "" {
			continue
		}
		if step.Name == "names" {
			s.wantNamesChecked(step)
		}
		if output, err := s.run(step); err != nil {
			t.Fatalf("step %s: %v:\n%s", step.Name, err, output)
		}
		if check := checks[step.Name]; check != nil {
			check()
		}
	}
}

// scene is a supervisor as the public operator leaves it, and one remote cluster.
type scene struct {
	*testing.T
	supervisor, remote client.Client
	env                []string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	supervisor := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	remote := controlplane.New(t, controlplane.Options{Name: "remote"})
	s := &scene{T: t, supervisor: as(t, supervisor, controlplane.Admin), remote: as(t, remote, controlplane.Admin)}
	s.env = append(os.Environ(),
		"PATH="+filepath.Dir(kubectl(t))+string(os.PathListSeparator)+os.Getenv("PATH"),
		"KUBECONFIG="+s.kubeconfig(supervisor), "REMOTE_KUBECONFIGS="+s.kubeconfig(remote),
		"REMOTE_USER=public", "THEIR_NAMESPACE=public", "THEIR_DEPLOYMENT=public-operator", "MANAGED_BY=theirs",
		"IMAGE=registry/ours:v1",
	)
	apply(t, s.supervisor, publicDefinitions(t))
	labels := map[string]string{"app": "public-operator"}
	pod := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: "registry/theirs:v1"}}},
	}
	replicas := int32(1)
	config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-east"}}
	config.Spec.KubeconfigSecretRef, config.Spec.SecretNamespace = "cluster-east-kubeconfig", "public"
	web := machine("web", nil)
	web.Finalizers = []string{vitistackv1alpha1.FinalizerMachinePublic}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "public"}},
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "public", Name: "public-operator"},
			Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: pod},
		},
		config, web,
	} {
		until(t, "the public operator's objects are not made", func(ctx context.Context) error {
			return s.supervisor.Create(ctx, object)
		})
	}
	return s
}

// publicDefinitions are the definitions with KubevirtConfig cluster-scoped, as the public one is.
func publicDefinitions(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	objects := rendered(t, "api/crds")
	for _, object := range objects {
		if object.GetName() != "kubevirtconfigs.vitistack.io" {
			continue
		}
		if err := unstructured.SetNestedField(object.Object, "Cluster", "spec", "scope"); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

func (s *scene) kubeconfig(plane *controlplane.Cluster) string {
	s.Helper()
	content, err := plane.KubeconfigFor(controlplane.Admin)
	if err != nil {
		s.Fatal(err)
	}
	path := filepath.Join(s.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// run runs a step in the repository's root.
func (s *scene) run(step Step) (string, error) {
	command := exec.CommandContext(s.Context(), "bash", "-euo", "pipefail", "-c", step.Script)
	command.Dir, command.Env = filepath.Join("..", ".."), s.env
	output, err := command.CombinedOutput()
	return string(output), err
}

func (s *scene) wantRights() {
	s.Helper()
	binding := &rbacv1.ClusterRoleBinding{}
	if err := s.remote.Get(s.Context(), client.ObjectKey{Name: "kubevirt-operator-handover"}, binding); err != nil {
		s.Fatal(err)
	}
	want := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "public"}}
	if diff := cmp.Diff(want, binding.Subjects); diff != "" || binding.RoleRef.Name != "kubevirt-operator-remote" {
		s.Errorf("role %s, subjects -want +got:\n%s", binding.RoleRef.Name, diff)
	}
}

// wantInstalledAndStopped: while theirs runs ours must not, and the public KubevirtConfig is as it
// was.
func (s *scene) wantInstalledAndStopped() {
	s.Helper()
	s.wantReplicas("kubevirt-operator", "kubevirt-operator", 0)
	s.wantReplicas("public", "public-operator", 1)
	deployment := s.deployment("kubevirt-operator", "kubevirt-operator")
	container := deployment.Spec.Template.Spec.Containers[0]
	for _, want := range []corev1.EnvVar{{Name: "VM_NAME_PREFIX"}, {Name: "MANAGED_BY", Value: "theirs"}} {
		if !slices.Contains(container.Env, want) {
			s.Errorf("the environment lacks %s=%q: %v", want.Name, want.Value, container.Env)
		}
	}
	if container.Image != "registry/ours:v1" {
		s.Errorf("the image is %s", container.Image)
	}
	config := &vitistackv1alpha1.KubevirtConfig{}
	if err := s.supervisor.Get(s.Context(), client.ObjectKey{Name: "cluster-east"}, config); err != nil {
		s.Errorf("the cluster-scoped KubevirtConfig is gone: %v", err)
	}
}

// wantNamesChecked: a virtual machine that is called otherwise must stop the way back.
func (s *scene) wantNamesChecked(step Step) {
	s.Helper()
	other := machine("other", nil)
	if err := s.supervisor.Create(s.Context(), other); err != nil {
		s.Fatal(err)
	}
	patch := client.MergeFrom(other.DeepCopy())
	other.Status.VMName = "vm-other"
	if err := s.supervisor.Status().Patch(s.Context(), other, patch); err != nil {
		s.Fatal(err)
	}
	output, err := s.run(step)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strings.TrimSpace(output) != "default/other has the virtual machine vm-other" {
		s.Errorf("want the Machine named and a failure, got %v:\n%s", err, output)
	}
	if err := s.supervisor.Delete(s.Context(), other); err != nil {
		s.Fatal(err)
	}
}

// wantMachinesStay: what is removed is the operator, and nothing that people have.
func (s *scene) wantMachinesStay() {
	s.Helper()
	for _, object := range []client.Object{machine("web", nil),
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-east"}}} {
		if err := s.supervisor.Get(s.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			s.Errorf("%s is gone: %v", object.GetName(), err)
		}
		if !object.GetDeletionTimestamp().IsZero() {
			s.Errorf("%s is being deleted", object.GetName())
		}
	}
}

func (s *scene) deployment(namespace, name string) *appsv1.Deployment {
	s.Helper()
	deployment := &appsv1.Deployment{}
	if err := s.supervisor.Get(s.Context(), client.ObjectKey{Namespace: namespace, Name: name}, deployment); err != nil {
		s.Fatal(err)
	}
	return deployment
}

func (s *scene) wantReplicas(namespace, name string, want int32) {
	s.Helper()
	if got := *s.deployment(namespace, name).Spec.Replicas; got != want {
		s.Errorf("%s has %d replicas, want %d", name, got, want)
	}
}
