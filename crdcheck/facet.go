package crdcheck

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// facet is one keyword of a schema with its value in canonical JSON. A node's facets are sorted by
// key and hold what the schema says about this path alone; keywords whose absence means the same
// are left out.
type facet struct{ key, value string }

// The keywords that rules look at.
const (
	keyType         = "type"
	keyFormat       = "format"
	keyIntOrString  = "x-kubernetes-int-or-string"
	keyRequired     = "required"
	keyEnum         = "enum"
	keyDefault      = "default"
	keyNullable     = "nullable"
	keyPattern      = "pattern"
	keyMultipleOf   = "multipleOf"
	keyMinLength    = "minLength"
	keyMaxLength    = "maxLength"
	keyMinimum      = "minimum"
	keyMaximum      = "maximum"
	keyExclusiveMin = "exclusiveMinimum"
	keyExclusiveMax = "exclusiveMaximum"
	keyListType     = "x-kubernetes-list-type"
	keyListMapKeys  = "x-kubernetes-list-map-keys"
	keyMapType      = "x-kubernetes-map-type"
	keyEmbedded     = "x-kubernetes-embedded-resource"
	keyRules        = "x-kubernetes-validations"
	keyAllOf        = "allOf"
	keyAnyOf        = "anyOf"
	keyOneOf        = "oneOf"
	keyNot          = "not"
)

// simple reports whether a schema has no keyword that normalization has to look into: those are
// nearly all.
func simple(s *apiextensionsv1.JSONSchemaProps) bool {
	return len(s.AllOf) == 0 && len(s.AnyOf) == 0 && len(s.OneOf) == 0 && s.Not == nil && !s.XIntOrString &&
		len(s.XValidations) == 0 && s.Ref == nil && len(s.PatternProperties) == 0 && len(s.Dependencies) == 0 &&
		s.AdditionalItems == nil && len(s.Definitions) == 0 &&
		(s.Items == nil || len(s.Items.JSONSchemas) == 0) &&
		len(s.Enum) == 0
}

// simpleFacets appends the facets of a simple schema; facetsOf gives the same for every schema,
// more slowly.
func simpleFacets(facets []facet, s *apiextensionsv1.JSONSchemaProps) ([]facet, error) {
	start := len(facets)
	add := func(key, value string) { facets = append(facets, facet{key, value}) }
	whole := func(key string, n *int64, lower bool) {
		if n != nil && (!lower || *n != 0) {
			add(key, strconv.FormatInt(*n, 10))
		}
	}
	set := func(key string, on bool) {
		if on {
			add(key, "true")
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema == nil {
		add(keyAdditional, strconv.FormatBool(s.AdditionalProperties.Allows))
	}
	if s.Default != nil {
		text, err := canonicalRaw(s.Default.Raw)
		if err != nil {
			return nil, err
		}
		add(keyDefault, text)
	}
	set(keyExclusiveMax, s.ExclusiveMaximum)
	set(keyExclusiveMin, s.ExclusiveMinimum)
	quoted(add, keyFormat, s.Format)
	whole("maxItems", s.MaxItems, false)
	whole("maxLength", s.MaxLength, false)
	whole("maxProperties", s.MaxProperties, false)
	number(add, keyMaximum, s.Maximum)
	whole("minItems", s.MinItems, true)
	whole("minLength", s.MinLength, true)
	whole("minProperties", s.MinProperties, true)
	number(add, keyMinimum, s.Minimum)
	number(add, keyMultipleOf, s.MultipleOf)
	set(keyNullable, s.Nullable)
	quoted(add, keyPattern, s.Pattern)
	names(add, keyRequired, s.Required)
	quoted(add, keyType, s.Type)
	set("uniqueItems", s.UniqueItems)
	set(keyEmbedded, s.XEmbeddedResource)
	names(add, keyListMapKeys, s.XListMapKeys)
	if s.XListType != nil && *s.XListType != "atomic" {
		add(keyListType, quote(*s.XListType))
	}
	if s.XMapType != nil && *s.XMapType != "granular" {
		add(keyMapType, quote(*s.XMapType))
	}
	set(keyPreserve, s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields)
	slices.SortFunc(facets[start:], byKey)
	return facets, nil
}

func byKey(a, b facet) int { return cmp.Compare(a.key, b.key) }

func quoted(add func(key, value string), key, text string) {
	if text != "" {
		add(key, quote(text))
	}
}

func number(add func(key, value string), key string, n *float64) {
	if n != nil {
		text, _ := canonical(*n) // NaN does not come out of JSON
		add(key, text)
	}
}

func names(add func(key, value string), key string, list []string) {
	if len(list) == 0 {
		return
	}
	ordered := slices.Compact(slices.Sorted(slices.Values(list)))
	text, _ := canonical(ordered) // strings always encode
	add(key, text)
}

// quote is a string in JSON; the few that are in every schema cost nothing.
func quote(text string) string {
	switch text {
	case "string":
		return `"string"`
	case "object":
		return `"object"`
	case "array":
		return `"array"`
	case "boolean":
		return `"boolean"`
	case "integer":
		return `"integer"`
	case "int32":
		return `"int32"`
	case "int64":
		return `"int64"`
	}
	quoted, _ := canonical(text) // strings always encode
	return quoted
}

// facetsOf appends the facets of a schema as decoded from JSON, normalised and without its
// children.
func facetsOf(facets []facet, s schema) ([]facet, error) {
	start := len(facets)
	for key, value := range s {
		text, err := canonical(value)
		if err != nil {
			return nil, err
		}
		facets = append(facets, facet{key, text})
	}
	slices.SortFunc(facets[start:], byKey)
	return facets, nil
}

// text writes facets as the schema that they are, in canonical JSON.
func text(facets []facet) string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range facets {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(f.key) + ":" + f.value)
	}
	b.WriteByte('}')
	return b.String()
}

// canonical is JSON with sorted keys, on one line; < and & are left as they are, for people.
func canonical(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// canonicalRaw makes JSON canonical.
func canonicalRaw(raw []byte) (string, error) {
	value, err := decode(raw)
	if err != nil {
		return "", err
	}
	return canonical(canonicalNumbers(value))
}

func decode(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // bounds of 64-bit integers do not fit into a float64
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// canonicalNumbers writes numbers that are equal in one way: 1.0 and 1e0 are 1.
func canonicalNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v
		}
		if f, err := v.Float64(); err == nil {
			if whole := int64(f); float64(whole) == f && whole > -1<<53 && whole < 1<<53 {
				return json.Number(strconv.FormatInt(whole, 10))
			}
			return f
		}
	case []any:
		for i := range v {
			v[i] = canonicalNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = canonicalNumbers(v[key])
		}
	}
	return value
}
