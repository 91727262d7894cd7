package admit_test

import (
	"encoding/json"
	"math/rand/v2"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"
)

// schemas makes random schemas. Not every one is such that an API server takes it.
type schemas struct{ random *rand.Rand }

// deepest is how far below the field a random schema reaches.
const deepest = 2

func (g schemas) schema(depth int) schema {
	kinds := []string{"string", "integer", "number", "boolean", "string", "object", "array", "object", "int-or-string"}
	if depth == deepest {
		kinds = kinds[:5]
	}
	kind := kinds[g.random.IntN(len(kinds))]
	var s schema
	if kind == "int-or-string" {
		s.XIntOrString = true
	} else {
		s.Type = kind
	}
	switch kind {
	case "object":
		g.shape(&s, depth)
	case "array":
		items := g.schema(depth + 1)
		s.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &items}
	}
	for range g.random.IntN(3) {
		g.keyword(&s)
	}
	return s
}

// shape gives an object fields, values of a map, or what nobody lists.
func (g schemas) shape(s *schema, depth int) {
	switch g.random.IntN(6) {
	case 0:
		values := g.schema(depth + 1)
		s.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &values}
		return
	case 1:
		s.XPreserveUnknownFields = ptr.To(true)
	}
	s.Properties = map[string]schema{}
	for _, name := range []string{"a", "b", "c"}[:1+g.random.IntN(3)] {
		s.Properties[name] = g.schema(depth + 1)
	}
}

// edit changes a schema somewhere.
func (g schemas) edit(s *schema) {
	if g.random.IntN(3) > 0 && g.editBelow(s) {
		return
	}
	switch choice := g.random.IntN(10); {
	case choice == 0:
		*s = g.schema(1)
	case choice == 1 && s.Properties != nil:
		s.Properties[[]string{"a", "b", "c", "d"}[g.random.IntN(4)]] = g.schema(deepest)
	case choice == 2 && len(s.Properties) > 1:
		delete(s.Properties, sortedNames(s.Properties)[g.random.IntN(len(s.Properties))])
	case choice == 3 && s.Type == "object" && s.AdditionalProperties == nil:
		if s.XPreserveUnknownFields = nil; g.random.IntN(2) == 0 {
			s.XPreserveUnknownFields = ptr.To(true)
		}
	default:
		g.keyword(s)
	}
}

// editBelow changes a schema below this one, if there is one.
func (g schemas) editBelow(s *schema) bool {
	switch {
	case s.Items != nil:
		g.edit(s.Items.Schema)
	case s.AdditionalProperties != nil:
		g.edit(s.AdditionalProperties.Schema)
	case len(s.Properties) > 0:
		name := sortedNames(s.Properties)[g.random.IntN(len(s.Properties))]
		property := s.Properties[name]
		g.edit(&property)
		s.Properties[name] = property
	default:
		return false
	}
	return true
}

// keyword sets, changes or removes a random keyword that means something to the type.
func (g schemas) keyword(s *schema) {
	switch g.random.IntN(8) {
	case 0:
		s.Nullable = !s.Nullable
		return
	case 1:
		g.logic(s)
		return
	}
	switch s.Type {
	case "string":
		g.ofText(s)
	case "integer", "number":
		g.ofNumber(s)
	case "array":
		g.ofList(s)
	case "object":
		g.ofObject(s)
	}
}

func (g schemas) ofText(s *schema) {
	switch g.random.IntN(7) {
	case 0:
		s.MinLength = g.bound(4)
	case 1:
		s.MaxLength = g.bound(4)
	case 2:
		s.Pattern = []string{"", "^a", "b$", "^[a-z]*$", "^[0-9]*$"}[g.random.IntN(5)]
	case 3, 4:
		s.Enum = g.some(`"a"`, `"b"`, `"ab"`, `"abc"`, `""`)
	case 5:
		s.Format = []string{"", "date", "date-time", "uuid", "byte", "ipv4", "hostport"}[g.random.IntN(7)]
	default:
		g.withDefault(s, `"a"`, `"ab"`, `"abc"`)
	}
}

func (g schemas) ofNumber(s *schema) {
	switch g.random.IntN(7) {
	case 0:
		s.Minimum = g.figure(10)
	case 1:
		s.Maximum = g.figure(10)
	case 2:
		s.ExclusiveMinimum = s.Minimum != nil && !s.ExclusiveMinimum
	case 3:
		s.ExclusiveMaximum = s.Maximum != nil && !s.ExclusiveMaximum
	case 4:
		s.MultipleOf = []*float64{nil, ptr.To(0.5), ptr.To(1.5)}[g.random.IntN(3)]
		if s.Type == "integer" { // a number with a whole multiple is a whole number: that is not looked at
			s.MultipleOf = []*float64{nil, ptr.To(0.5), ptr.To(1.0), ptr.To(2.0), ptr.To(3.0)}[g.random.IntN(5)]
		}
	case 5:
		s.Format = []string{"", "int32", "int64", "double"}[g.random.IntN(4)]
	default:
		g.withDefault(s, "1", "4", "9")
	}
}

func (g schemas) ofList(s *schema) {
	switch g.random.IntN(3) {
	case 0:
		s.MinItems = g.bound(3)
	case 1:
		s.MaxItems = g.bound(3)
	default:
		s.XListType = []*string{nil, ptr.To("set"), ptr.To("atomic")}[g.random.IntN(3)]
	}
}

func (g schemas) ofObject(s *schema) {
	switch g.random.IntN(4) {
	case 0:
		s.MinProperties = g.bound(3)
	case 1:
		s.MaxProperties = g.bound(3)
	default:
		s.Required = nil
		for _, name := range sortedNames(s.Properties) {
			if g.random.IntN(2) == 0 {
				s.Required = append(s.Required, name)
			}
		}
	}
}

// logic gives alternatives, which may only bound values of the schema's own type. No two of them are
// met by everything together: nobody tells such a pair from others.
func (g schemas) logic(s *schema) {
	bounded := map[string][]schema{
		"string": {{Pattern: "^a"}, {MaxLength: ptr.To(int64(2))}, {Enum: raw(`"b"`)}},
		"number": {{Minimum: ptr.To(2.0)}, {Maximum: ptr.To(0.0)}, {Enum: raw("3")}},
		"object": {{Required: []string{"a"}}, {Required: []string{"b"}}, {MinProperties: ptr.To(int64(2))}},
		"array":  {{MinItems: ptr.To(int64(2))}, {MaxItems: ptr.To(int64(0))}, {MinItems: ptr.To(int64(3))}},
	}
	bounded["integer"] = bounded["number"]
	branches := bounded[s.Type]
	if branches == nil {
		return
	}
	branches = branches[:1+g.random.IntN(3)]
	if g.random.IntN(3) == 0 {
		branches = nil
	}
	switch g.random.IntN(5) {
	case 0:
		s.AllOf = branches
	case 1:
		s.AnyOf = branches
	case 2:
		s.OneOf = branches
	case 3:
		if s.Not = nil; branches != nil {
			s.Not = &branches[len(branches)-1]
		}
	default:
		g.rule(s)
	}
}

// rule gives a rule in CEL, or takes it away.
func (g schemas) rule(s *schema) {
	rules := map[string][]string{
		"string":  {"self != 'a'", "self.size() < 3"},
		"integer": {"self > 1", "self < 8"},
		"number":  {"self > 1.0", "self < 8.0"},
		"array":   {"self.size() < 2", "self.size() > 0"},
	}[s.Type]
	s.XValidations = nil
	if len(rules) > 0 && g.random.IntN(3) > 0 {
		s.XValidations = apiextensionsv1.ValidationRules{{Rule: rules[g.random.IntN(len(rules))]}}
	}
}

func (g schemas) withDefault(s *schema, values ...string) {
	s.Default = nil
	if g.random.IntN(2) == 0 {
		s.Default = &apiextensionsv1.JSON{Raw: []byte(values[g.random.IntN(len(values))])}
	}
}

// bound returns a number below most, or nil.
func (g schemas) bound(most int) *int64 {
	if n := g.random.IntN(most + 1); n < most {
		return ptr.To(int64(n))
	}
	return nil
}

func (g schemas) figure(most int) *float64 {
	if n := g.random.IntN(2*most + 1); n < 2*most {
		return ptr.To(float64(n) / 2)
	}
	return nil
}

// some returns some of the values, in a random order, or nil.
func (g schemas) some(values ...string) []apiextensionsv1.JSON {
	g.random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return raw(values[:g.random.IntN(len(values))]...)
}

func raw(values ...string) []apiextensionsv1.JSON {
	var all []apiextensionsv1.JSON
	for _, value := range values {
		all = append(all, apiextensionsv1.JSON{Raw: json.RawMessage(value)})
	}
	return all
}
