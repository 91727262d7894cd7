package crdcheck

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestSimpleFacets holds the quick way to a schema's facets to the thorough one, for every schema
// that the coverage map compares.
func TestSimpleFacets(t *testing.T) {
	content, err := os.ReadFile("testdata/coverage.txt")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for line := range strings.Lines(string(content)) {
		_, body, _ := strings.Cut(line, ": ")
		old, rest, both := strings.Cut(body, " -> ")
		found, _, _ := strings.Cut(rest, " = ")
		if !both || strings.HasPrefix(line, "#") {
			continue
		}
		for _, text := range []string{old, found} {
			compared += compareFacets(t, text)
		}
	}
	if compared < 50 {
		t.Errorf("only %d schemas were compared", compared)
	}
}

func compareFacets(t *testing.T, text string) int {
	t.Helper()
	stream := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b}\n" +
		"spec: {group: b, names: {plural: a}, " +
		"versions: [{name: v1, schema: {openAPIV3Schema: " + text + "}}]}"
	crds, err := Load(strings.NewReader(stream))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s := crds[0].Spec.Versions[0].Schema.OpenAPIV3Schema
	if !simple(s) {
		return 0
	}
	quick, err := simpleFacets(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(thorough(t, s), quick, cmp.AllowUnexported(facet{})); diff != "" {
		t.Errorf("%s: -thorough +quick:\n%s", text, diff)
	}
	return 1
}

func thorough(t *testing.T, s *apiextensionsv1.JSONSchemaProps) []facet {
	t.Helper()
	decoded, err := decodeAlone(s)
	if err != nil {
		t.Fatal(err)
	}
	facets, err := facetsOf(nil, decoded)
	if err != nil {
		t.Fatal(err)
	}
	return facets
}
