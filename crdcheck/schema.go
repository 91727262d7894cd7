package crdcheck

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// The keys of a schema whose values are schemas of other paths.
const (
	keyProperties = "properties"
	keyItems      = "items"
	keyAdditional = "additionalProperties"
	keyPreserve   = "x-kubernetes-preserve-unknown-fields"
)

// deepest is how many schemas may be nested in each other. The deepest public ones have about 30.
const deepest = 200

var errTooDeep = fmt.Errorf("nested in more than %d levels", deepest)

// schema is a JSON schema as decoded from JSON.
type schema = map[string]any

// node is one path of a schema. The texts of all nodes share memory where they can.
type node struct {
	path   string
	parent string // path; the root is its own
	facets []facet
	open   bool // the server keeps fields that the schema does not name
	always bool // it is there because the value is a whole object
}

// value returns what a keyword says, "" where the schema does not use it.
func (n *node) value(key string) string {
	for i := range n.facets {
		if n.facets[i].key == key {
			return n.facets[i].value
		}
	}
	return ""
}

// tree is a compiled schema: its nodes, sorted by path, so that a parent comes before its children.
type tree []node

// at returns the node at a path, or nil.
func (t tree) at(path string) *node {
	i, found := slices.BinarySearchFunc(t, path, func(n node, path string) int { return cmp.Compare(n.path, path) })
	if !found {
		return nil
	}
	return &t[i]
}

// compileSchema returns the nodes of a schema, normalised.
func compileSchema(props *apiextensionsv1.JSONSchemaProps) (tree, error) {
	var c compiler
	if err := c.add(props, "", "", 0); err != nil {
		return nil, err
	}
	for i, from := range c.starts {
		to := len(c.facets)
		if i+1 < len(c.starts) {
			to = c.starts[i+1]
		}
		c.nodes[i].facets = c.facets[from:to:to]
	}
	slices.SortFunc(c.nodes, func(a, b node) int { return cmp.Compare(a.path, b.path) })
	return slices.Clip(c.nodes), nil
}

// compiler collects nodes; starts are the indices of each one's first facet.
type compiler struct {
	nodes  tree
	facets []facet
	starts []int
}

// add takes the schema apart without changing it.
func (c *compiler) add(s *apiextensionsv1.JSONSchemaProps, path, parent string, depth int) (err error) {
	if depth > deepest {
		return errTooDeep
	}
	declared := s.Properties
	s = effective(s, depth == 0)
	c.starts = append(c.starts, len(c.facets))
	c.facets, err = c.normalized(s)
	if err != nil {
		return fmt.Errorf("%s: %w", cmp.Or(path, "the object"), err)
	}
	additional := s.AdditionalProperties
	open := s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields ||
		additional != nil && additional.Schema == nil && additional.Allows
	c.nodes = append(c.nodes, node{path: path, parent: parent, open: open})
	for name := range s.Properties {
		property, next := s.Properties[name], len(c.nodes)
		if err := c.add(&property, field(path, name), path, depth+1); err != nil {
			return err
		}
		_, is := declared[name]
		c.nodes[next].always = !is
	}
	if s.Items != nil && s.Items.Schema != nil {
		if err := c.add(s.Items.Schema, path+anyItem, path, depth+1); err != nil {
			return err
		}
	}
	if additional != nil && additional.Schema != nil {
		return c.add(additional.Schema, path+anyValue, path, depth+1)
	}
	return nil
}

// normalized appends the facets of a schema alone.
func (c *compiler) normalized(s *apiextensionsv1.JSONSchemaProps) ([]facet, error) {
	if simple(s) {
		return simpleFacets(c.facets, s)
	}
	decoded, err := decodeAlone(s)
	if err != nil {
		return nil, err
	}
	return facetsOf(c.facets, decoded)
}

// decodeAlone returns a schema without its children, as decoded from JSON and normalised.
func decodeAlone(s *apiextensionsv1.JSONSchemaProps) (schema, error) {
	if tooDeep(s, 0) {
		return nil, errTooDeep
	}
	alone := *s
	alone.Properties, alone.Description = nil, ""
	if s.Items != nil && s.Items.Schema != nil {
		alone.Items = nil
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		alone.AdditionalProperties = nil
	}
	encoded, err := json.Marshal(&alone)
	if err != nil {
		return nil, err
	}
	value, err := decode(encoded)
	if err != nil {
		return nil, err
	}
	decoded, isObject := value.(schema)
	if !isObject {
		return nil, errors.New("no schema")
	}
	normalize(decoded)
	return decoded, nil
}

// tooDeep looks into branches, which are schemas of the same path.
func tooDeep(s *apiextensionsv1.JSONSchemaProps, depth int) bool {
	if depth > deepest {
		return true
	}
	for _, branches := range [][]apiextensionsv1.JSONSchemaProps{s.AllOf, s.AnyOf, s.OneOf} {
		for i := range branches {
			if tooDeep(&branches[i], depth+1) {
				return true
			}
		}
	}
	return s.Not != nil && tooDeep(s.Not, depth+1)
}
