package admit_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/valid"
)

// change is the schema of one field, before and after. Both are such that an API server takes them.
type change struct {
	name     string
	old, new schema
}

func (c change) reversed() change { return change{c.name + ", reversed", c.new, c.old} }

// listedChanges are those of the map of what is compared, and the examples of the rules.
func listedChanges(t *testing.T) []change {
	t.Helper()
	content, err := os.ReadFile("../testdata/coverage.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []change
	for line := range strings.Lines(string(content)) {
		name, body, _ := strings.Cut(strings.TrimSpace(line), ": ")
		schemas, _, held := strings.Cut(body, " = ")
		if old, found, two := strings.Cut(schemas, " -> "); two && held && !strings.HasPrefix(name, "#") {
			all = append(all, change{name, schemaOf(t, old), schemaOf(t, found)})
		}
	}
	for _, rule := range crdcheck.Rules() {
		for _, example := range rule.ID.Examples() {
			if example.Of == "schema" {
				all = append(all, change{string(rule.ID), schemaOf(t, example.Old), schemaOf(t, example.New)})
			}
		}
	}
	return all
}

func schemaOf(t *testing.T, text string) schema {
	t.Helper()
	var s schema
	if err := yaml.UnmarshalStrict([]byte(text), &s); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// randomChanges edits random schemas in one to three places.
func randomChanges(random *rand.Rand, count int) []change {
	g := schemas{random}
	var all []change
	for n := range count {
		old := g.schema(0)
		edited := *old.DeepCopy()
		for range 1 + random.IntN(3) {
			g.edit(&edited)
		}
		all = append(all, change{fmt.Sprintf("random %d", n), old, edited})
	}
	return all
}

// bothWays returns the changes and their reversals, without those that no API server would take.
func bothWays(t *testing.T, changes []change) []change {
	t.Helper()
	var all []change
	for _, c := range changes {
		if taken(t, c.old) && taken(t, c.new) {
			all = append(all, c, c.reversed())
		}
	}
	return all
}

func taken(t *testing.T, s schema) bool {
	t.Helper()
	crd := definitionOf("any", map[string]schema{"f": s})
	return valid.Definition(t.Context(), &crd) == nil
}

// definitionOf returns a definition with these fields below spec.
func definitionOf(name string, fields map[string]schema) apiextensionsv1.CustomResourceDefinition {
	root := schema{Type: "object", Properties: map[string]schema{"spec": {Type: "object", Properties: fields}}}
	return apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "things." + name + ".example"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: name + ".example", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{
				Plural: "things", Singular: "thing", Kind: "Thing", ListKind: "ThingList",
			},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &root},
			}},
		},
	}
}
