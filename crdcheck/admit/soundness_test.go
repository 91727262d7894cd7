package admit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
)

// narrowings are edits of the spec of widgets, each of which some object that was accepted and kept
// no longer survives.
var narrowings = map[string]func(spec *schema){
	"maximum":    edit("size", func(s *schema) { s.Maximum = ptr.To(20.0) }),
	"minimum":    edit("size", func(s *schema) { s.Minimum = ptr.To(50.0) }),
	"exclusive":  edit("size", func(s *schema) { s.ExclusiveMaximum, s.Maximum = true, ptr.To(30.0) }),
	"enum":       edit("colour", func(s *schema) { s.Enum = s.Enum[:1] }),
	"required":   func(spec *schema) { spec.Required = append(spec.Required, "half") },
	"removed":    func(spec *schema) { delete(spec.Properties, "barred") },
	"type":       edit("grade", func(s *schema) { s.Type, s.Default = "integer", nil }),
	"multipleOf": edit("half", func(s *schema) { s.MultipleOf = ptr.To(4.0) }),
	"pattern":    edit("grade", func(s *schema) { s.Pattern = "^[a-m]" }),
	"maxLength":  edit("grade", func(s *schema) { s.MaxLength = ptr.To(int64(2)) }),
	"maxItems":   edit("set", func(s *schema) { s.MaxItems = ptr.To(int64(1)) }),
	"minItems":   edit("parts", func(s *schema) { s.MinItems = ptr.To(int64(2)) }),
	"maxProps":   edit("tags", func(s *schema) { s.MaxProperties = ptr.To(int64(1)) }),
	"values":     edit("tags", func(s *schema) { s.AdditionalProperties.Schema.MaxLength = ptr.To(int64(2)) }),
	"closed":     edit("free", func(s *schema) { s.XPreserveUnknownFields = nil }),
	"rule": func(spec *schema) {
		spec.XValidations = append(spec.XValidations, apiextensionsv1.ValidationRule{Rule: "self.size < 40"})
	},
	"not":         edit("grade", func(s *schema) { s.Not = &schema{Pattern: "a"} }),
	"allOf":       edit("grade", func(s *schema) { s.AllOf = []schema{{Pattern: "^[a-m]"}, {Pattern: "[a-m]$"}} }),
	"intOrString": edit("port", func(s *schema) { s.XIntOrString, s.Type = false, "integer" }),
	"newRequired": func(spec *schema) {
		spec.Properties["fresh"] = schema{Type: "string"}
		spec.Required = append(spec.Required, "fresh")
	},
	"itemRequired": edit("parts", func(s *schema) {
		s.Items.Schema.Required = []string{"name", "more"}
		s.Items.Schema.Properties["more"] = schema{Type: "string"}
	}),
}

func edit(name string, change func(s *schema)) func(spec *schema) {
	return func(spec *schema) {
		property := spec.Properties[name]
		change(&property)
		spec.Properties[name] = property
	}
}

// TestCompareIsSound: what an old definition accepts and keeps, and a new one does not, is told to
// writers as an error. Objects are made until one shows that the edit does narrow.
func TestCompareIsSound(t *testing.T) {
	for name, narrow := range narrowings {
		t.Run(name, func(t *testing.T) {
			old, found := widgets(t), widgets(t)
			spec := found.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
			narrow(&spec)
			found.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = spec
			before, err := admit.Compile(&old)
			if err != nil {
				t.Fatal(err)
			}
			after, err := admit.Compile(&found)
			if err != nil {
				t.Fatal(err)
			}
			report := crdcheck.Compare(
				crdcheck.Observed("old", old), crdcheck.Observed("new", found),
				crdcheck.Options{Directions: crdcheck.ProfileServer.Directions()},
			)
			told := slices.ContainsFunc(
				report.Findings,
				func(f crdcheck.Finding) bool { return f.Severity() == crdcheck.Error && f.Direction == crdcheck.Write },
			)
			g := generator{random: rand.New(rand.NewPCG(9, 9))}
			for n := range 2000 {
				object := g.object(&old, 0, fmt.Sprintf("o-%d", n))
				was, err := before.Create(t.Context(), object)
				if err != nil || !was.Kept() {
					continue
				}
				is, err := after.Create(t.Context(), object)
				if err != nil {
					t.Fatal(err)
				}
				if is.Kept() {
					continue
				}
				if !told {
					t.Errorf("%v is %v %v now, and nobody is told: %+v", object, is.Pruned, is.Refused, report.Findings)
				}
				return
			}
			t.Error("no object shows the difference: the generator is too poor")
		})
	}
}
