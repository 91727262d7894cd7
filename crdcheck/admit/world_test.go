package admit_test

import (
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
)

func object(content map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: content}
}

// probe is an object that the tightened definition refuses.
func probe() map[string]any {
	return map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "probe", "namespace": "default"},
		"spec": map[string]any{"size": int64(99), "colour": "red"},
	}
}

// tighten narrows the definition of widgets in many ways and returns it as the server has it.
func tighten(
	t *testing.T, s server, crd *apiextensionsv1.CustomResourceDefinition,
) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	definitions := s.definitions.ApiextensionsV1().CustomResourceDefinitions()
	var updated *apiextensionsv1.CustomResourceDefinition
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		live, err := definitions.Get(t.Context(), crd.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		spec := live.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		edit := func(name string, change func(s *schema)) {
			property := spec.Properties[name]
			change(&property)
			spec.Properties[name] = property
		}
		edit("size", func(s *schema) { s.Maximum = ptr.To(40.0) })
		edit("colour", func(s *schema) { s.Enum = s.Enum[1:] })
		edit("tags", func(s *schema) { s.MaxProperties = ptr.To(int64(1)) })
		edit("barred", func(s *schema) { s.MaxLength = ptr.To(int64(2)) })
		spec.XValidations = append(
			spec.XValidations,
			apiextensionsv1.ValidationRule{Rule: "!has(self.half) || self.half < 30", Message: "less than 30"},
		)
		live.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = spec
		updated, err = definitions.Update(t.Context(), live, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return updated
}

// causes are the types, fields and messages of what the server refuses.
func causes(status metav1.Status) []admit.Refusal {
	var all []admit.Refusal
	if status.Details == nil {
		return all
	}
	for _, cause := range status.Details.Causes {
		path := cause.Field
		if path == "<nil>" || path == "[]" {
			path = ""
		}
		all = append(all, admit.Refusal{Type: string(cause.Type), Path: path, Message: cause.Message})
	}
	return fields(all)
}

func fields(refusals []admit.Refusal) []admit.Refusal {
	refusals = slices.Clone(refusals)
	slices.SortFunc(refusals, func(a, b admit.Refusal) int {
		return slices.Compare([]string{a.Path, a.Type, a.Message}, []string{b.Path, b.Type, b.Message})
	})
	return slices.Compact(refusals)
}
