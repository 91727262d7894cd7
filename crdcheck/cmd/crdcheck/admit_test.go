package main

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// TestUnusableDefinition: a definition that a cluster took long ago may be one that today's server
// code cannot use. The object is unknown, and the reason is in the sentence that people read.
func TestUnusableDefinition(t *testing.T) {
	crd := apiextensionsv1.CustomResourceDefinition{}
	crd.Name, crd.Spec.Group, crd.Spec.Names.Kind = "widgets.example.com", "example.com", "Widget"
	crd.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true}}
	set := source.Set{Name: "east", CRDs: []apiextensionsv1.CustomResourceDefinition{crd}}
	widget := object{label: "Widget w", Unstructured: unstructured.Unstructured{
		Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Widget"},
	}}
	_, found, err := admitOne(t.Context(), new(admit.Cache), set, &widget)
	if err != nil || len(found) != 1 {
		t.Fatalf("findings %v, error %v", found, err)
	}
	text := render.Sentence(found[0])
	if found[0].Severity() != crdcheck.Unsettled || !strings.Contains(text, "v1 has no schema") {
		t.Errorf("%s: %s", found[0].Severity(), text)
	}
}
