package admit_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// generator makes objects from a schema that mostly follow it, and then spoils some.
type generator struct {
	random *rand.Rand
	budget int // of values that are left to one object
}

type schema = apiextensionsv1.JSONSchemaProps

// object returns an object of a version of a definition.
func (g *generator) object(crd *apiextensionsv1.CustomResourceDefinition, version int, name string) map[string]any {
	g.budget = 40
	v := crd.Spec.Versions[version]
	value, _ := g.value(v.Schema.OpenAPIV3Schema, 0).(map[string]any)
	if value == nil {
		value = map[string]any{}
	}
	value["apiVersion"], value["kind"] = crd.Spec.Group+"/"+v.Name, crd.Spec.Names.Kind
	value["metadata"] = map[string]any{"name": name, "namespace": "default"}
	return value
}

func (g *generator) value(s *schema, depth int) any {
	g.budget--
	if len(s.Enum) > 0 {
		var value any
		_ = json.Unmarshal(s.Enum[g.random.IntN(len(s.Enum))].Raw, &value) // the API server took it
		return value
	}
	switch {
	case s.XIntOrString && g.random.IntN(2) == 0:
		return g.word()
	case s.XIntOrString:
		return int64(g.random.IntN(90))
	}
	switch s.Type {
	case "object":
		return g.fields(s, depth)
	case "array":
		return g.list(s, depth)
	case "integer":
		return g.integer(s)
	case "number":
		return float64(g.random.IntN(100)) / 100
	case "boolean":
		return g.random.IntN(2) == 0
	case "string":
		return g.text(s)
	default:
		return map[string]any{"anything": g.word()}
	}
}

func (g *generator) fields(s *schema, depth int) map[string]any {
	object := map[string]any{}
	for _, name := range sortedNames(s.Properties) {
		property := s.Properties[name]
		wanted := slices.Contains(s.Required, name) ||
			g.budget > 0 && depth < 9 && g.random.IntN(100) < 100/(1+len(s.Properties)/6)
		if depth == 0 && (name == "metadata" || name == "apiVersion" || name == "kind") || !wanted {
			continue
		}
		object[name] = g.value(&property, depth+1)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		for range g.random.IntN(3) {
			object[g.word()] = g.value(s.AdditionalProperties.Schema, depth+1)
		}
	}
	if s.XPreserveUnknownFields != nil && g.random.IntN(2) == 0 {
		object["free"] = map[string]any{g.word(): g.word()}
	}
	if s.XEmbeddedResource {
		object["apiVersion"], object["kind"] = "v1", "ConfigMap"
		object["metadata"] = map[string]any{"name": g.word()}
	}
	return object
}

func (g *generator) list(s *schema, depth int) []any {
	list := []any{}
	if s.Items == nil || s.Items.Schema == nil {
		return list
	}
	for range 1 + g.random.IntN(2) {
		list = append(list, g.value(s.Items.Schema, depth+1))
	}
	return list
}

func (g *generator) integer(s *schema) int64 {
	n := int64(g.random.IntN(90))
	if s.Minimum != nil {
		n = max(n, int64(*s.Minimum))
	}
	if s.MultipleOf != nil {
		n -= n % int64(*s.MultipleOf)
	}
	return n
}

func (g *generator) text(s *schema) string {
	switch {
	case s.Format == "date-time":
		return "2026-01-02T03:04:05Z"
	case s.Format == "date":
		return "2026-01-02"
	case s.Format == "byte":
		return "aGFsbG8="
	case strings.Contains(s.Pattern, "[+-]?"): // a quantity
		return "10Mi"
	default:
		return g.word()
	}
}

func (g *generator) word() string {
	return fmt.Sprintf("%c%c%c", 'a'+g.random.IntN(26), 'a'+g.random.IntN(26), 'a'+g.random.IntN(26))
}

// spoil changes an object in up to n places, in ways in which objects are wrong.
func (g *generator) spoil(object map[string]any, n int) {
	for range n {
		holder := g.holder(object)
		name := g.name(holder)
		switch g.random.IntN(11) {
		case 0, 1:
			holder["unknown"+g.word()] = map[string]any{"x": int64(1)}
		case 2:
			holder["dotted.name"] = "x"
		case 3:
			delete(holder, name)
		case 4:
			holder[name] = nil
		case 5:
			holder[name] = "a longer text than most"
		case 6:
			holder[name] = int64(1 << 40)
		case 7:
			holder[name] = []any{"x", "x"}
		case 8:
			holder[name] = map[string]any{"y": true}
		case 9:
			if list, isList := holder[name].([]any); isList && len(list) > 0 {
				holder[name] = append(list, list[0])
			}
		default:
			holder[name] = -0.5
		}
	}
}

// spoilMetadata changes an object's metadata, in ways in which it is wrong.
func (g *generator) spoilMetadata(object map[string]any) {
	meta, _ := object["metadata"].(map[string]any)
	switch g.random.IntN(6) {
	case 0:
		meta["labels"] = map[string]any{"not a key": "x", "good": "not a value!"}
	case 1:
		meta["unknown"] = "x"
	case 2:
		meta["name"] = "Not_A_Name"
	case 3:
		meta["finalizers"] = []any{"no slash"}
	case 4:
		meta["ownerReferences"] = []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "name": ""}}
	default:
		meta["labels"] = "no map"
	}
}

// holder picks one of the objects in an object, but none of its metadata.
func (g *generator) holder(object map[string]any) map[string]any {
	for {
		var below []map[string]any
		for _, name := range sortedNames(object) {
			if name == "metadata" {
				continue
			}
			switch v := object[name].(type) {
			case map[string]any:
				below = append(below, v)
			case []any:
				for _, item := range v {
					if m, isObject := item.(map[string]any); isObject {
						below = append(below, m)
					}
				}
			}
		}
		if len(below) == 0 || g.random.IntN(4) == 0 {
			return object
		}
		object = below[g.random.IntN(len(below))]
	}
}

// name picks a field, but not one without which the object is none at all.
func (g *generator) name(object map[string]any) string {
	names := slices.DeleteFunc(sortedNames(object), func(name string) bool {
		return name == "apiVersion" || name == "kind" || name == "metadata"
	})
	if len(names) == 0 {
		return "nothing"
	}
	return names[g.random.IntN(len(names))]
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
