package differential

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

type schema = apiextensionsv1.JSONSchemaProps

// forms write a definition, which they may change, in another way that means the same.
var forms = map[string]func(t *testing.T, d *crd){
	"read from JSON, with keys in another order": asUnorderedJSON,
	"other texts":           func(_ *testing.T, d *crd) { everySchema(d, otherTexts) },
	"sets in another order": func(_ *testing.T, d *crd) { shuffleNames(d); everySchema(d, shuffle) },
	"defaults of the schema language spelled out": func(_ *testing.T, d *crd) { spellOut(d); everySchema(d, spellOutSchema) },
	"bounds in repeated branches of allOf":        func(_ *testing.T, d *crd) { everySchema(d, branch) },
	"the other form of int-or-string":             func(_ *testing.T, d *crd) { everySchema(d, otherIntOrString) },
}

// TestEqualForms writes the newer definition of every pair in six other forms, and finds nothing. A
// form that changes few definitions would show little.
func TestEqualForms(t *testing.T) {
	var lockedChanged struct {
		sync.Mutex

		count map[string]int
	}
	lockedChanged.count = map[string]int{}
	t.Cleanup(func() {
		t.Logf("definitions that each form changed: %v", lockedChanged.count)
		for name := range forms {
			if lockedChanged.count[name] < 25 {
				t.Errorf("%s: changed only %d definitions", name, lockedChanged.count[name])
			}
		}
	})
	eachPair(t, func(t *testing.T, p pair) {
		before := crdcheck.Observed("before", *p.new)
		for name, rewrite := range forms {
			other := p.new.DeepCopy()
			rewrite(t, other)
			if name == "read from JSON, with keys in another order" || !apiequality.Semantic.DeepEqual(p.new, other) {
				lockedChanged.Lock()
				lockedChanged.count[name]++
				lockedChanged.Unlock()
			}
			for _, f := range crdcheck.Compare(before, crdcheck.Observed("after", *other), crdcheck.Options{}).Findings {
				t.Errorf("%s: %s %s: %s -> %s", name, f.Rule, f.Path, f.Old, f.New)
			}
		}
	})
}

// everySchema visits the schemas of all paths of all versions, each after those below it.
func everySchema(d *crd, visit func(s *schema)) {
	for i := range d.Spec.Versions {
		if declared := d.Spec.Versions[i].Schema; declared != nil {
			everySchemaBelow(declared.OpenAPIV3Schema, visit)
		}
	}
}

func everySchemaBelow(s *schema, visit func(s *schema)) {
	for name, property := range s.Properties {
		everySchemaBelow(&property, visit)
		s.Properties[name] = property
	}
	if s.Items != nil && s.Items.Schema != nil {
		everySchemaBelow(s.Items.Schema, visit)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		everySchemaBelow(s.AdditionalProperties.Schema, visit)
	}
	visit(s)
}

func otherTexts(s *schema) {
	s.Description, s.Title = "another text", "a title"
	s.ExternalDocs = &apiextensionsv1.ExternalDocumentation{URL: "https://example.com"}
	for i := range s.XValidations {
		s.XValidations[i].Message = "another message"
	}
}

// random is the same in each run, so that a failure can be seen again.
func random() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func shuffled[E any](set []E) {
	random().Shuffle(len(set), func(i, j int) { set[i], set[j] = set[j], set[i] })
}

func shuffle(s *schema) {
	shuffled(s.Required)
	shuffled(s.Enum)
	shuffled(s.XValidations)
	shuffled(s.AllOf)
	shuffled(s.AnyOf)
	shuffled(s.OneOf)
}

func shuffleNames(d *crd) {
	shuffled(d.Spec.Versions)
	shuffled(d.Spec.Names.ShortNames)
	shuffled(d.Spec.Names.Categories)
}

func spellOut(d *crd) {
	if d.Spec.Conversion == nil {
		d.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter}
	}
	if d.Spec.Names.Singular == "" {
		d.Spec.Names.Singular = strings.ToLower(d.Spec.Names.Kind)
	}
	if d.Spec.Names.ListKind == "" {
		d.Spec.Names.ListKind = d.Spec.Names.Kind + "List"
	}
}

func spellOutSchema(s *schema) {
	atomic, granular, zero := "atomic", "granular", int64(0)
	switch {
	case s.Type == "array" && s.XListType == nil:
		s.XListType = &atomic
	case s.Type == "object" && s.XMapType == nil:
		s.XMapType = &granular
	case s.Type == "string" && s.MinLength == nil:
		s.MinLength = &zero
	}
	if s.Type == "array" && s.MinItems == nil {
		s.MinItems = &zero
	}
}

// branch moves some bounds into branches, which say them twice.
func branch(s *schema) {
	if len(s.Enum) > 0 {
		s.AllOf = append(s.AllOf, schema{Enum: s.Enum}, schema{Enum: s.Enum})
		s.Enum = nil
	}
	if s.Pattern != "" {
		s.AllOf = append(s.AllOf, schema{Pattern: s.Pattern}, schema{Pattern: s.Pattern})
	}
	if s.MaxLength != nil {
		s.AllOf = append(s.AllOf, schema{MaxLength: s.MaxLength})
		s.MaxLength = nil
	}
}

func otherIntOrString(s *schema) {
	either := []schema{{Type: "integer"}, {Type: "string"}}
	switch {
	case !s.XIntOrString:
	case len(s.AnyOf) > 0:
		s.AnyOf, s.AllOf = nil, append(s.AllOf, schema{AnyOf: either})
	default:
		s.AnyOf, s.AllOf = either, nil
	}
}

// asUnorderedJSON writes the definition as JSON with its keys in the order of Go's maps, which is
// another one each time, and reads it back.
func asUnorderedJSON(t *testing.T, d *crd) {
	d.APIVersion, d.Kind = "apiextensions.k8s.io/v1", "CustomResourceDefinition"
	ordered, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var (
		value any
		text  bytes.Buffer
	)
	decoder := json.NewDecoder(bytes.NewReader(ordered))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	writeUnordered(&text, value)
	if bytes.Equal(text.Bytes(), ordered) {
		t.Error("the keys are in the same order")
	}
	crds, err := crdcheck.Load(&text)
	if err != nil || len(crds) != 1 {
		t.Fatalf("%d definitions, %v", len(crds), err)
	}
	*d = crds[0]
}

func writeUnordered(text *bytes.Buffer, value any) {
	separator := ""
	switch v := value.(type) {
	case map[string]any:
		text.WriteByte('{')
		for key, below := range v {
			text.WriteString(separator)
			writeUnordered(text, key)
			text.WriteByte(':')
			writeUnordered(text, below)
			separator = ","
		}
		text.WriteByte('}')
	case []any:
		text.WriteByte('[')
		for _, item := range v {
			text.WriteString(separator)
			writeUnordered(text, item)
			separator = ","
		}
		text.WriteByte(']')
	default:
		encoded, _ := json.Marshal(v) // decoded from JSON, so it encodes
		text.Write(encoded)
	}
}
