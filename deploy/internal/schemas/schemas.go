package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"sigs.k8s.io/yaml"
)

// A definition is as much of a CustomResourceDefinition as is needed here.
type definition struct {
	Kind string `json:"kind"`
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Served bool   `json:"served"`
			Schema struct {
				OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// Of returns the files of a custom resource definition, which is YAML, by their paths. Each version
// that is served has some.
func Of(crd []byte) (map[string][]byte, error) {
	var of definition
	if err := yaml.Unmarshal(crd, &of); err != nil {
		return nil, err
	}
	if of.Kind != "CustomResourceDefinition" {
		return nil, fmt.Errorf("%q is no CustomResourceDefinition", of.Kind)
	}
	files := map[string][]byte{}
	kind := strings.ToLower(of.Spec.Names.Kind)
	group, _, _ := strings.Cut(of.Spec.Group, ".")
	for _, version := range of.Spec.Versions {
		if !version.Served {
			continue
		}
		if len(version.Schema.OpenAPIV3Schema) == 0 {
			return nil, fmt.Errorf("%s %s has no schema", of.Spec.Names.Kind, version.Name)
		}
		strict := text(object(version.Schema.OpenAPIV3Schema, of, version.Name, true))
		short := fmt.Sprintf("%s-%s-%s.json", kind, group, version.Name)
		files[fmt.Sprintf("%s/%s_%s.json", of.Spec.Group, kind, version.Name)] = strict
		files["master-standalone-strict/"+short] = strict
		files["master-standalone/"+short] = text(object(version.Schema.OpenAPIV3Schema, of, version.Name, false))
	}
	if len(files) == 0 {
		return nil, errors.New("no version is served")
	}
	return files, nil
}

// object is the schema of whole objects: it names the kind, so that an editor can offer it.
func object(openAPI map[string]any, of definition, version string, strict bool) map[string]any {
	schema := convert(openAPI, strict)
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	properties := map[string]any{}
	if given, is := schema["properties"].(map[string]any); is {
		maps.Copy(properties, given)
	}
	// The API server checks metadata itself; a definition says that it is an object.
	properties["metadata"] = map[string]any{"type": "object"}
	properties["apiVersion"] = constant(properties["apiVersion"], of.Spec.Group+"/"+version)
	properties["kind"] = constant(properties["kind"], of.Spec.Names.Kind)
	schema["properties"] = properties
	return schema
}

// constant is a schema that lets one text through, with the description of another.
func constant(like any, value string) map[string]any {
	schema := map[string]any{"type": "string", "enum": []any{value}}
	if described, is := like.(map[string]any); is && described["description"] != nil {
		schema["description"] = described["description"]
	}
	return schema
}

// convert returns a structural schema as a JSON Schema. It does not change its argument.
func convert(openAPI map[string]any, strict bool) map[string]any {
	schema := map[string]any{}
	for key, value := range openAPI {
		switch {
		case strings.HasPrefix(key, "x-kubernetes-"), key == "nullable", key == "example":
			// None is a word of JSON Schema. What they do is done below; a rule in CEL is for the API server.
		case key == "properties":
			schema[key] = each(value, strict)
		case key == "items", key == "additionalProperties", key == "not":
			schema[key] = one(value, strict)
		case key == "allOf", key == "anyOf", key == "oneOf":
			schema[key] = list(value)
		default:
			schema[key] = value
		}
	}
	if openAPI["x-kubernetes-int-or-string"] == true {
		delete(schema, "anyOf")
		schema["type"] = []any{"integer", "string"}
	}
	if typed, is := schema["type"].(string); is && openAPI["nullable"] == true {
		schema["type"] = []any{typed, "null"}
	}
	_, open := openAPI["additionalProperties"]
	open = open || openAPI["x-kubernetes-preserve-unknown-fields"] == true ||
		openAPI["x-kubernetes-embedded-resource"] == true
	if openAPI["properties"] != nil && !open && strict {
		schema["additionalProperties"] = false
	}
	return schema
}

func each(value any, strict bool) any {
	properties, is := value.(map[string]any)
	if !is {
		return value
	}
	converted := map[string]any{}
	for name, property := range properties {
		converted[name] = one(property, strict)
	}
	return converted
}

func one(value any, strict bool) any {
	if schema, is := value.(map[string]any); is {
		return convert(schema, strict)
	}
	return value
}

// list converts schemas that say more about a value which another one describes, so that names
// they do not have are none that are unknown.
func list(value any) any {
	schemas, is := value.([]any)
	if !is {
		return value
	}
	var converted []any
	for _, schema := range schemas {
		converted = append(converted, one(schema, false))
	}
	return converted
}

// text is a schema as people read it. Its keys are sorted.
func text(schema map[string]any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		panic(err) // impossible: it was read from YAML
	}
	return buffer.Bytes()
}
