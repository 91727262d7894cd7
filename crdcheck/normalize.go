package crdcheck

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Normalize returns a schema that means the same to every object and holds nothing else: texts for
// people, the order of sets, repeated allOf branches and defaults of the schema language that are
// spelled out are gone. Schemas that mean the same in these respects come out equal; it is what
// every question of this package is asked about. The argument is not changed. The error says that
// schemas are nested in more than 200 levels, or that a default, an example or an enumeration is no
// JSON.
func Normalize(s *apiextensionsv1.JSONSchemaProps) (*apiextensionsv1.JSONSchemaProps, error) {
	if _, err := compileSchema(s); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	value, err := decode(encoded)
	if err != nil {
		return nil, err
	}
	if decoded, isObject := value.(schema); isObject {
		normalize(decoded)
	}
	if encoded, err = json.Marshal(value); err != nil {
		return nil, err
	}
	normal := &apiextensionsv1.JSONSchemaProps{}
	return normal, json.Unmarshal(encoded, normal)
}

// normalize removes from a schema, and from all schemas in it, what makes no difference to an
// object: texts for people, order where there is none, and defaults of the schema language that are
// spelled out.
func normalize(s schema) {
	for _, key := range []string{"description", "title", "example", "externalDocs", "$schema", "id"} {
		delete(s, key)
	}
	for _, key := range []string{keyEnum, keyDefault} {
		if found, is := s[key]; is {
			s[key] = canonicalNumbers(found)
		}
	}
	for _, child := range nested(s) {
		normalize(child)
	}
	for _, key := range []string{"required", "enum", "allOf", "anyOf", "oneOf", "x-kubernetes-list-map-keys"} {
		sortValues(s, key)
	}
	for _, key := range []string{keyAllOf, keyAnyOf, keyOneOf} {
		dropIdle(s, key)
	}
	normalizeRules(s)
	normalizeIntOrString(s)
	mergeAllOf(s)
	dropDefaults(s)
}

// nested returns the schemas directly below one, wherever they are.
func nested(s schema) []schema {
	var found []schema
	add := func(value any) {
		if child, isSchema := value.(schema); isSchema {
			found = append(found, child)
		}
	}
	for _, key := range []string{keyItems, keyAdditional, "additionalItems", "not"} {
		add(s[key])
	}
	for _, key := range []string{keyProperties, "patternProperties", "definitions", "dependencies"} {
		if named, isObject := s[key].(schema); isObject {
			for _, child := range named {
				add(child)
			}
		}
	}
	for _, key := range []string{keyItems, "allOf", "anyOf", "oneOf"} {
		if branches, isList := s[key].([]any); isList {
			for _, branch := range branches {
				add(branch)
			}
		}
	}
	return found
}

// sortValues sorts a list that is a set, and keeps each value once.
func sortValues(s schema, key string) {
	values, isList := s[key].([]any)
	if !isList {
		return
	}
	byText := make(map[string]any, len(values))
	for _, value := range values {
		text, _ := canonical(value) // decoded from JSON, so it encodes
		byText[text] = value
	}
	ordered := make([]any, 0, len(byText))
	for _, text := range slices.Sorted(maps.Keys(byText)) {
		ordered = append(ordered, byText[text])
	}
	s[key] = ordered
}

// normalizeRules keeps of CEL rules what decides, without messages, sorted.
func normalizeRules(s schema) {
	const key = "x-kubernetes-validations"
	rules, isList := s[key].([]any)
	if !isList {
		return
	}
	for _, rule := range rules {
		if r, isObject := rule.(schema); isObject {
			if text, is := r["rule"].(string); is {
				r["rule"] = withoutSpace(text)
			}
			maps.DeleteFunc(r, func(k string, _ any) bool { return k != "rule" && k != "optionalOldSelf" })
		}
	}
	sortValues(s, key)
}

// normalizeIntOrString removes what the extension already says, in both forms that the API server
// accepts.
func normalizeIntOrString(s schema) {
	if s["x-kubernetes-int-or-string"] != true {
		return
	}
	if isIntOrString(s["anyOf"]) {
		delete(s, "anyOf")
	}
	branches, _ := s["allOf"].([]any)
	s["allOf"] = slices.DeleteFunc(branches, func(branch any) bool {
		b, _ := branch.(schema)
		return len(b) == 1 && isIntOrString(b["anyOf"])
	})
}

func isIntOrString(branches any) bool {
	text, err := canonical(branches)
	return err == nil && text == `[{"type":"integer"},{"type":"string"}]`
}

// mergeAllOf moves constraints out of branches that contradict nothing: a branch that says what its
// parent says, or says more of a kind that the parent leaves open, is only another way to write it.
func mergeAllOf(s schema) {
	branches, isList := s["allOf"].([]any)
	if !isList {
		return
	}
	kept := slices.DeleteFunc(branches, func(branch any) bool {
		b, isSchema := branch.(schema)
		if !isSchema || !mergeable(s, b) {
			return false
		}
		maps.Copy(s, b)
		return true
	})
	s["allOf"] = kept
	if len(kept) == 0 {
		delete(s, "allOf")
	}
}

func mergeable(into, branch schema) bool {
	for key, value := range branch {
		if !isBound(key) {
			return false
		}
		if present, found := into[key]; found {
			a, _ := canonical(present)
			b, _ := canonical(value)
			if a != b {
				return false
			}
		}
	}
	return true
}

// isBound reports whether a key bounds the value alone, without regard to other keys.
func isBound(key string) bool {
	switch key {
	case "enum",
		"format",
		"pattern",
		"multipleOf",
		"minLength",
		"maxLength",
		"minItems",
		"maxItems",
		"minProperties",
		"maxProperties",
		"required":
		return true
	default:
		return false
	}
}

// falseByDefault are the keywords, beside Kubernetes' own, that mean the same when they are false
// and when they are missing.
var falseByDefault = []string{"nullable", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum"}

// dropDefaults removes what means the same as saying nothing.
func dropDefaults(s schema) {
	for key, value := range s {
		switch {
		case value == false && (strings.HasPrefix(key, "x-kubernetes-") || slices.Contains(falseByDefault, key)),
			value == json.Number("0") && slices.Contains([]string{"minLength", "minItems", "minProperties"}, key),
			value == "atomic" && key == "x-kubernetes-list-type",
			value == "granular" && key == "x-kubernetes-map-type":
			delete(s, key)
		}
		if list, isList := value.([]any); isList && len(list) == 0 && key != "enum" && key != "default" {
			delete(s, key)
		}
	}
}
