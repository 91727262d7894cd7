package crdcheck

import (
	"bytes"
	"encoding/json"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The keys of a schema whose values are schemas of other paths.
const (
	keyProperties = "properties"
	keyItems      = "items"
	keyAdditional = "additionalProperties"
	keyPreserve   = "x-kubernetes-preserve-unknown-fields"
)

// schema is a JSON schema as decoded from JSON.
type schema = map[string]any

// node is one path of a schema.
type node struct {
	parent string // path; the root is its own
	facets string // canonical JSON of all that the schema says about this path alone
	open   bool   // the server keeps fields that the schema does not name
}

// compileSchema returns the nodes of a schema by path, normalised.
func compileSchema(props *apiextensionsv1.JSONSchemaProps) (map[string]node, error) {
	encoded, err := json.Marshal(props)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber() // bounds of 64-bit integers do not fit into a float64
	var root schema
	if err := decoder.Decode(&root); err != nil {
		return nil, err
	}
	normalize(root)
	nodes := map[string]node{}
	return nodes, flatten(root, "", "", nodes)
}

// flatten takes the schema apart; it consumes it.
func flatten(s schema, path, parent string, nodes map[string]node) error {
	children := takeChildren(s, path)
	facets, err := canonical(s)
	if err != nil {
		return err
	}
	open, _ := s[keyPreserve].(bool)
	nodes[path] = node{parent: parent, facets: facets, open: open || s[keyAdditional] == true}
	for childPath, child := range children {
		if err := flatten(child, childPath, path, nodes); err != nil {
			return err
		}
	}
	return nil
}

// takeChildren removes the schemas of other paths and returns them by path.
func takeChildren(s schema, path string) map[string]schema {
	children := map[string]schema{}
	if properties, found := s[keyProperties].(schema); found {
		delete(s, keyProperties)
		for name, property := range properties {
			if child, isSchema := property.(schema); isSchema {
				children[field(path, name)] = child
			}
		}
	}
	if items, found := s[keyItems].(schema); found {
		delete(s, keyItems)
		children[path+anyItem] = items
	}
	if values, found := s[keyAdditional].(schema); found {
		delete(s, keyAdditional)
		children[path+anyValue] = values
	}
	return children
}

// canonical is JSON with sorted keys.
func canonical(value any) (string, error) {
	encoded, err := json.Marshal(value)
	return string(encoded), err
}
