package crds_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// schema is every keyword that the definitions use. Decoding it is strict: a new keyword fails
// until a test looks at it.
type schema struct {
	Description string            `json:"description,omitempty"`
	Type        string            `json:"type,omitempty"`
	Format      string            `json:"format,omitempty"`
	Properties  map[string]schema `json:"properties,omitempty"`
	Items       *schema           `json:"items,omitempty"`
	Values      *schema           `json:"additionalProperties,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Enum        []string          `json:"enum,omitempty"`
	Pattern     string            `json:"pattern,omitempty"`
	Minimum     *int64            `json:"minimum,omitempty"`
	Maximum     *int64            `json:"maximum,omitempty"`
	MinLength   *int64            `json:"minLength,omitempty"`
	MaxLength   *int64            `json:"maxLength,omitempty"`
	Default     json.RawMessage   `json:"default,omitempty"`
	AnyOf       []schema          `json:"anyOf,omitempty"`
	IntOrString bool              `json:"x-kubernetes-int-or-string,omitempty"`
	ListType    string            `json:"x-kubernetes-list-type,omitempty"`
	ListMapKeys []string          `json:"x-kubernetes-list-map-keys,omitempty"`
	MapType     string            `json:"x-kubernetes-map-type,omitempty"`
	Validations []struct {
		Rule    string `json:"rule"`
		Message string `json:"message"`
	} `json:"x-kubernetes-validations,omitempty"`
}

// walk visits the schema and everything below it, in the order of paths.
func (s *schema) walk(path string, visit func(path string, s *schema)) {
	visit(path, s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		property.walk(strings.TrimPrefix(path+"."+name, "."), visit)
	}
	if s.Items != nil {
		s.Items.walk(path+"[]", visit)
	}
	if s.Values != nil {
		s.Values.walk(path+"{}", visit)
	}
}

// fields returns one line a field below the root, in the form of the lists in testdata.
func (s *schema) fields(path string, required bool) []string {
	var lines []string
	if path != "" {
		lines = append(lines, s.line(path, required))
	}
	for name, property := range s.Properties {
		if path == "" && slices.Contains([]string{"apiVersion", "kind", "metadata"}, name) {
			continue
		}
		lines = append(lines, property.fields(strings.TrimPrefix(path+"."+name, "."), slices.Contains(s.Required, name))...)
	}
	if s.Items != nil {
		lines = append(lines, s.Items.fields(path+"[]", false)...)
	}
	if s.Values != nil {
		lines = append(lines, s.Values.fields(path+"{}", false)...)
	}
	return lines
}

func (s *schema) line(path string, required bool) string {
	kind := s.Type
	if s.IntOrString {
		kind = "int-or-string"
	}
	words := []string{path, kind}
	if required {
		words = append(words, "required")
	}
	add := func(keyword, value string) {
		if value != "" {
			words = append(words, keyword+"="+value)
		}
	}
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return fmt.Sprint(*n)
	}
	add("format", s.Format)
	add("minimum", number(s.Minimum))
	add("maximum", number(s.Maximum))
	add("minLength", number(s.MinLength))
	add("maxLength", number(s.MaxLength))
	add("pattern", s.Pattern)
	add("default", strings.Trim(string(s.Default), `"`))
	add("enum", strings.Join(s.Enum, ","))
	return strings.Join(words, " ")
}

// problems returns what an API server would refuse in a structural schema.
func (s *schema) problems(path string) []string {
	var found []string
	s.walk(path, func(path string, s *schema) {
		report := func(problem string) { found = append(found, fmt.Sprintf("%q %s", path, problem)) }
		switch {
		case s.IntOrString && (s.Type != "" || len(s.AnyOf) != 2):
			report("is int-or-string with a type, or without its two alternatives")
		case !s.IntOrString && !slices.Contains([]string{"object", "array", "string", "integer", "boolean"}, s.Type):
			report("has type " + s.Type)
		case !s.IntOrString && len(s.AnyOf) > 0:
			report("has alternatives")
		}
		if (s.Type == "array") != (s.Items != nil) {
			report("is a list without items, or has items without being one")
		}
		if s.Type != "object" && (len(s.Properties) > 0 || s.Values != nil || len(s.Required) > 0) {
			report("has fields without being an object")
		}
		if len(s.Properties) > 0 && s.Values != nil {
			report("is an object and a map")
		}
		for _, name := range s.Required {
			if _, known := s.Properties[name]; !known {
				report("requires the unknown field " + name)
			}
		}
		if _, err := regexp.Compile(s.Pattern); err != nil {
			report(err.Error())
		}
		for _, key := range s.ListMapKeys {
			if s.ListType != "map" || s.Items == nil || !slices.Contains(s.Items.Required, key) {
				report("has the list key " + key + ", which its items need not have")
			}
		}
	})
	return found
}
