package apicontract

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	"github.com/vitistack/kubevirt-multicluster/api/samples"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// newClient starts an API server with definitions and the namespaces of the samples.
func newClient(t *testing.T, definitions map[string][]byte) client.Client {
	t.Helper()
	cluster := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	dir := t.TempDir()
	for name, content := range definitions {
		if err := os.WriteFile(dir+"/"+name+".yaml", content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := envtest.CRDInstallOptions{Paths: []string{dir}, ErrorIfPathMissing: true}
	if _, err := envtest.InstallCRDs(cluster.Config(), options); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(cluster.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kubevirt-configs", "team-a", "team-b", "team-c"} {
		if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	return client.WithFieldValidation(c, metav1.FieldValidationStrict)
}

// TestSamplesComeBackWhole applies every public shape with strict validation and compares what the
// server keeps, value by value.
func TestSamplesComeBackWhole(t *testing.T) {
	c := newClient(t, crds.YAML())
	for name, manifest := range samples.YAML() {
		t.Run(name, func(t *testing.T) {
			wanted := decode(t, manifest)
			if wanted.GetKind() == "KubevirtConfig" && wanted.GetNamespace() == "" {
				wanted.SetNamespace("kubevirt-configs") // our definition is namespaced
			}
			kept := wanted.DeepCopy()
			if err := c.Create(t.Context(), kept); err != nil {
				t.Fatal(err)
			}
			if status, found := wanted.Object["status"]; found {
				kept.Object["status"] = status
				if err := c.Status().Patch(t.Context(), kept,
					client.RawPatch(client.Merge.Type(), statusPatch(t, status))); err != nil {
					t.Fatal(err)
				}
			}
			for _, part := range []string{"spec", "status"} {
				if lost := missing(part, wanted.Object[part], kept.Object[part]); len(lost) > 0 {
					t.Errorf("the server did not keep:\n%s", strings.Join(lost, "\n"))
				}
			}
		})
	}
}

// TestRefused is what the definitions refuse: what can never work, and nothing else.
func TestRefused(t *testing.T) {
	c := newClient(t, crds.YAML())
	cases := map[string]struct {
		reason  string
		spec    map[string]any
		refused bool
	}{
		"two classes": {reason: "they mean the same",
			spec: map[string]any{"instanceType": "small", "machineClass": "large"}, refused: true},
		"one class twice": {reason: "two names of one class agree", spec: map[string]any{"instanceType": "small", "machineClass": "small"}},
		"nothing":         {reason: "talos writes Machines without a provider", spec: map[string]any{}},
		"a reference": {reason: "field and annotation are compared by the operator",
			spec: map[string]any{"kubevirtConfigRef": map[string]any{"name": "a"}}},
		"unknown run": {reason: "no virtual machine runs like that", spec: map[string]any{"runStrategy": "Sometimes"},
			refused: true},
		"a disk of nothing": {reason: "as the public definition",
			spec: map[string]any{"disks": []any{map[string]any{"name": "a", "sizeGB": int64(0)}}}, refused: true},
	}
	i := 0
	for name, tc := range cases {
		i++
		t.Run(name, func(t *testing.T) {
			m := &unstructured.Unstructured{Object: map[string]any{"spec": tc.spec}}
			m.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("Machine"))
			m.SetNamespace("default")
			m.SetName(fmt.Sprintf("m%d", i))
			if err := c.Create(t.Context(), m); apierrors.IsInvalid(err) != tc.refused || err != nil &&
				!apierrors.IsInvalid(err) {
				t.Errorf("%s: Create() = %v", tc.reason, err)
			}
		})
	}
}

// TestUnknownFieldsSurvive: the definitions may be somebody else's and larger than our types. What
// we do not know outlives our patches, of object and status.
func TestUnknownFieldsSurvive(t *testing.T) {
	c := newClient(t, larger(t, crds.YAML()))
	m := decode(t, samples.YAML()["machine-full"])
	delete(m.Object, "status")
	if err := unstructured.SetNestedField(m.Object, "kept", "spec", "fromTheFuture", "field"); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	future := map[string]any{"fromTheFuture": map[string]any{"field": "kept"}}
	if err := c.Status().Patch(t.Context(), m, client.RawPatch(client.Merge.Type(), statusPatch(t, future))); err != nil {
		t.Fatal(err)
	}

	typed := &vitistackv1alpha1.Machine{}
	key := client.ObjectKeyFromObject(m)
	if err := c.Get(t.Context(), key, typed); err != nil {
		t.Fatal(err)
	}
	before := typed.DeepCopy()
	typed.Finalizers = append(typed.Finalizers, vitistackv1alpha1.FinalizerMachine)
	if err := c.Patch(t.Context(), typed,
		client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		t.Fatal(err)
	}
	before = typed.DeepCopy()
	typed.Status.Phase = vitistackv1alpha1.MachinePhaseRunning
	if err := c.Status().Patch(t.Context(), typed, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}

	got := &unstructured.Unstructured{}
	got.SetGroupVersionKind(m.GroupVersionKind())
	if err := c.Get(t.Context(), key, got); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"spec", "status"} {
		if value, _, _ := unstructured.NestedString(got.Object, part, "fromTheFuture", "field"); value != "kept" {
			t.Errorf("%s lost a field that we do not know", part)
		}
	}
	if phase, _, _ := unstructured.NestedString(got.Object, "status", "phase"); phase != "Running" {
		t.Errorf("the phase is %q", phase)
	}
}

// larger adds a field that our types do not have to spec and status of the Machine's definition.
func larger(t *testing.T, definitions map[string][]byte) map[string][]byte {
	t.Helper()
	const name = "machines.vitistack.io"
	crd := decode(t, definitions[name])
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil || len(versions) == 0 {
		t.Fatalf("%s has no versions: %v", name, err)
	}
	future := map[string]any{"type": "object", "properties": map[string]any{"field": map[string]any{"type": "string"}}}
	for _, part := range []string{"spec", "status"} {
		path := []string{"schema", "openAPIV3Schema", "properties", part, "properties", "fromTheFuture"}
		if err := unstructured.SetNestedField(versions[0].(map[string]any), future, path...); err != nil {
			t.Fatal(err)
		}
	}
	if err := unstructured.SetNestedSlice(crd.Object, versions, "spec", "versions"); err != nil {
		t.Fatal(err)
	}
	definitions[name], err = yaml.Marshal(crd.Object)
	if err != nil {
		t.Fatal(err)
	}
	return definitions
}

func decode(t *testing.T, manifest []byte) *unstructured.Unstructured {
	t.Helper()
	encoded, err := yaml.YAMLToJSON(manifest)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	return object
}

func statusPatch(t *testing.T, status any) []byte {
	t.Helper()
	encoded, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// missing are the paths in wanted that got lacks or has another value for. What got has beyond
// wanted are defaults.
func missing(path string, wanted, got any) []string {
	switch wanted := wanted.(type) {
	case map[string]any:
		kept, _ := got.(map[string]any)
		var lost []string
		for key, value := range wanted {
			lost = append(lost, missing(path+"."+key, value, kept[key])...)
		}
		return lost
	case []any:
		kept, _ := got.([]any)
		if len(kept) != len(wanted) {
			return []string{fmt.Sprintf("%s: %d of %d elements", path, len(kept), len(wanted))}
		}
		var lost []string
		for i, value := range wanted {
			lost = append(lost, missing(fmt.Sprintf("%s[%d]", path, i), value, kept[i])...)
		}
		return lost
	default:
		if diff := cmp.Diff(wanted, got); diff != "" {
			return []string{path + ": -want +got:\n" + diff}
		}
		return nil
	}
}
