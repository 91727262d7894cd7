package chart_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestServerTakesAll has a real API server judge each object of each set of values, unknown fields
// included, and the pods in a namespace that enforces the restricted Pod Security Standard.
func TestServerTakesAll(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "judge"})
	admin, err := client.New(plane.Config(), client.Options{Scheme: clientgoscheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	strict := client.WithFieldValidation(admin, metav1.FieldValidationStrict)
	for _, definition := range prometheusDefinitions(t) {
		apply(t, admin, definition)
	}
	for _, namespace := range []string{name, "kubevirt-configs", "team-configs"} {
		made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace,
			Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
		if err := admin.Create(t.Context(), made); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "values", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d sets of values: %v", len(files), err)
	}
	for _, set := range append(files, "default.yaml") {
		set = strings.TrimSuffix(filepath.Base(set), ".yaml")
		t.Run(set, func(t *testing.T) {
			all := objects(t, []byte(rendered(t, set).Manifest))
			if len(all) < 10 {
				t.Fatalf("%d objects", len(all))
			}
			for _, object := range all {
				eventually.Eventually(t, time.Minute, object.GetKind()+" "+object.GetName()+" is taken", func(ctx context.Context) error {
					return strict.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"),
						client.ForceOwnership, client.DryRunAll)
				})
				if object.GetKind() == "Deployment" {
					wantAdmitted(t, strict, object)
				}
			}
		})
	}
	typo := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount",
		"metadata": map[string]any{"name": "typo", "namespace": name}, "secret": "typo"}}
	err = strict.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(typo), client.FieldOwner("test"), client.DryRunAll)
	if err == nil {
		t.Error("an unknown field is taken, so the test above proves nothing")
	}
}

// wantAdmitted makes a pod of a Deployment, without doing it, and one that asks for more.
func wantAdmitted(t *testing.T, c client.Client, deployment *unstructured.Unstructured) {
	t.Helper()
	template, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, pod); err != nil {
		t.Fatal(err)
	}
	pod.Namespace, pod.Name = deployment.GetNamespace(), "probe"
	pod.Spec.ServiceAccountName = "default" // that of the chart is not made in a dry run
	pod.Spec.PriorityClassName = ""         // one of these is for kube-system alone
	eventually.Eventually(t, time.Minute, "the pod is admitted", func(ctx context.Context) error {
		return c.Create(ctx, pod.DeepCopy(), client.DryRunAll)
	})
	for i := range pod.Spec.InitContainers {
		loose := pod.DeepCopy()
		loose.Spec.InitContainers[i].SecurityContext = nil
		wantRefused(t, c, loose)
	}
	pod.Spec.Containers[0].SecurityContext = nil
	wantRefused(t, c, pod)
}

func wantRefused(t *testing.T, c client.Client, pod *corev1.Pod) {
	t.Helper()
	if err := c.Create(t.Context(), pod, client.DryRunAll); err == nil || !strings.Contains(err.Error(), "restricted") {
		t.Errorf("a pod that may do more is admitted, so the test above proves nothing: %v", err)
	}
}

func apply(t *testing.T, c client.Client, object *unstructured.Unstructured) {
	t.Helper()
	err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"))
	if err != nil {
		t.Fatal(err)
	}
}

// prometheusDefinitions are those of the kinds that the chart makes for the Prometheus operator.
// They come from its module, which the go command downloads and verifies.
func prometheusDefinitions(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json",
		"github.com/prometheus-operator/prometheus-operator@v0.85.0")
	command.Dir = os.TempDir() // outside of this module: its requirements are no matter
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go mod download: %v: %s", err, output)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		t.Fatal(err)
	}
	var all []*unstructured.Unstructured
	for _, kind := range []string{"servicemonitors", "prometheusrules"} {
		content, err := os.ReadFile(filepath.Join(module.Dir, "example", "prometheus-operator-crd",
			"monitoring.coreos.com_"+kind+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, objects(t, content)...)
	}
	return all
}
