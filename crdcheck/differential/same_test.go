package differential

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type schema = apiextensionsv1.JSONSchemaProps

// rewrite writes a schema in another way that means the same: other texts, another order,
// enumerations and patterns wrapped in allOf, the other form of int-or-string, defaults of the
// schema language spelled out.
func rewrite(random *rand.Rand, s *schema) {
	s.Description, s.Title = "another text", "a title"
	random.Shuffle(len(s.Required), func(i, j int) { s.Required[i], s.Required[j] = s.Required[j], s.Required[i] })
	random.Shuffle(len(s.Enum), func(i, j int) { s.Enum[i], s.Enum[j] = s.Enum[j], s.Enum[i] })
	random.Shuffle(
		len(s.XValidations), func(i, j int) { s.XValidations[i], s.XValidations[j] = s.XValidations[j], s.XValidations[i] },
	)
	for i := range s.XValidations {
		s.XValidations[i].Message = "another message"
	}
	switch {
	case s.XIntOrString && len(s.AllOf) == 0:
		s.AnyOf = nil
		s.AllOf = []schema{{AnyOf: []schema{{Type: "string"}, {Type: "integer"}}}}
	case len(s.Enum) > 0 && random.IntN(2) == 0:
		s.AllOf = append(s.AllOf, schema{Enum: s.Enum}, schema{Enum: s.Enum})
		s.Enum = nil
	case s.Pattern != "":
		s.AllOf = append(s.AllOf, schema{Pattern: s.Pattern})
	}
	if s.Type == "array" && s.XListType == nil {
		atomic := "atomic"
		s.XListType = &atomic
	}
	for name, property := range s.Properties {
		rewrite(random, &property)
		s.Properties[name] = property
	}
	if s.Items != nil && s.Items.Schema != nil {
		rewrite(random, s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		rewrite(random, s.AdditionalProperties.Schema)
	}
}

// TestSameIsSame rewrites every public definition, and finds nothing.
func TestSameIsSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for _, releases := range projects {
		for _, r := range releases {
			for name, d := range definitions(t, r) {
				other := d.DeepCopy()
				for i := range other.Spec.Versions {
					rewrite(random, other.Spec.Versions[i].Schema.OpenAPIV3Schema)
				}
				report := crdcheck.Compare(crdcheck.Observed("old", *d), crdcheck.Observed("new", *other), crdcheck.Options{})
				for _, f := range report.Findings {
					t.Errorf("%s %s: %s %s: %s -> %s", r.version, name, f.Rule, f.Path, f.Old, f.New)
				}
				compared++
			}
		}
	}
	t.Logf("%d definitions", compared)
	if compared < 50 {
		t.Errorf("only %d definitions", compared)
	}
}

// TestBytesStayTheSame compares every pair in many orders of its map keys: the report is the same,
// byte for byte.
func TestBytesStayTheSame(t *testing.T) {
	for _, p := range pairs(t) {
		var first []byte
		for round := range 5 {
			var text bytes.Buffer
			report := compare(pair{old: p.old.DeepCopy(), new: p.new.DeepCopy()}) // other maps, another order
			if err := render.JSON(&text, render.Document{Question: "compare", Report: report}); err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				first = text.Bytes()
			} else if !bytes.Equal(first, text.Bytes()) {
				t.Fatalf("%s: round %d differs", p.label, round)
			}
		}
	}
}

// TestRemovalsCompose: what is removed over three releases was removed in one of the steps.
func TestRemovalsCompose(t *testing.T) {
	releases := projects["kubevirt"]
	first, last := snapshot(t, releases[0]), snapshot(t, releases[len(releases)-1])
	steps := map[string]bool{}
	for i := range releases[1:] {
		report := crdcheck.Compare(snapshot(t, releases[i]), snapshot(t, releases[i+1]), crdcheck.Options{})
		for _, f := range report.Findings {
			if f.Rule == crdcheck.RuleFieldRemoved {
				steps[f.CRD+f.Path] = true
			}
		}
	}
	for _, f := range crdcheck.Compare(first, last, crdcheck.Options{}).Findings {
		if f.Rule == crdcheck.RuleFieldRemoved && !steps[f.CRD+f.Path] {
			t.Errorf("%s: %s went without a step", f.CRD, f.Path)
		}
	}
}
