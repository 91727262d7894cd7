package chart_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// differences are all that may be between the chart and kustomize. Each makes an object of the
// chart, or of kustomize, as the other side has it; drop leaves it out.
var differences = []struct {
	reason    string
	chart     func(object *unstructured.Unstructured) (changed bool)
	kustomize func(object *unstructured.Unstructured) (changed, drop bool)
}{{
	reason: "Helm's conventional labels say which release an object belongs to.",
	chart: func(object *unstructured.Unstructured) bool {
		labels := object.GetLabels()
		before := len(labels)
		for _, key := range []string{"app.kubernetes.io/instance", "app.kubernetes.io/managed-by",
			"app.kubernetes.io/version", "helm.sh/chart"} {
			delete(labels, key)
		}
		object.SetLabels(labels)
		return len(labels) < before
	},
}, {
	reason: "The name is among Helm's labels, so that all objects have it; kustomize gives it to two.",
	chart: func(object *unstructured.Unstructured) bool {
		labels := object.GetLabels()
		if kind := object.GetKind(); kind == "Deployment" || kind == "Service" {
			return false
		}
		delete(labels, "app.kubernetes.io/name")
		object.SetLabels(nil)
		if len(labels) > 0 {
			object.SetLabels(labels)
		}
		return true
	},
}, {
	reason: "kubectl delete removes what kustomize rendered; Helm asks an annotation what stays.",
	chart: func(object *unstructured.Unstructured) bool {
		annotations := object.GetAnnotations()
		kept := annotations["helm.sh/resource-policy"] == "keep"
		delete(annotations, "helm.sh/resource-policy")
		object.SetAnnotations(nil)
		if len(annotations) > 0 {
			object.SetAnnotations(annotations)
		}
		return kept
	},
}, {
	reason: "Helm makes the namespace of a release itself; README.md says how it gets its Pod Security label.",
	kustomize: func(object *unstructured.Unstructured) (changed, drop bool) {
		own := object.GetKind() == "Namespace" && object.GetName() == name
		return own, own
	},
}}

// TestSameAsKustomize renders with both, and compares all objects whole.
func TestSameAsKustomize(t *testing.T) {
	used := make([]bool, len(differences))
	for set, folder := range map[string]string{
		"default":  "deploy/supervisor",
		"handover": "deploy/handover",
		"claims":   "testkit/deployment/testdata/legacy-claims",
		"page":     "testkit/deployment/testdata/page",
	} {
		t.Run(set, func(t *testing.T) {
			want, got := map[string]any{}, map[string]any{}
			for _, object := range kustomized(t, folder) {
				dropped := false
				for i, difference := range differences {
					if difference.kustomize == nil {
						continue
					}
					changed, drop := difference.kustomize(object)
					used[i], dropped = used[i] || changed, dropped || drop
				}
				if !dropped {
					want[key(object)] = object.Object
				}
			}
			for _, object := range objects(t, []byte(rendered(t, set).Manifest)) {
				for i, difference := range differences {
					if difference.chart != nil && difference.chart(object) {
						used[i] = true
					}
				}
				if _, twice := got[key(object)]; twice {
					t.Errorf("the chart renders %s twice", key(object))
				}
				got[key(object)] = object.Object
			}
			if len(want) < 15 {
				t.Errorf("kustomize renders %d objects: the test looked at nothing", len(want))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-kustomize +chart:\n%s", diff)
			}
		})
	}
	for i, difference := range differences {
		if !used[i] {
			t.Errorf("there is no such difference any more: %s", difference.reason)
		}
	}
}

func key(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

// kustomized are the objects of a kustomization, by its path from the repository's root.
func kustomized(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(),
		filepath.Join(root, folder))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := made.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return objects(t, stream)
}
