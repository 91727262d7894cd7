package crdcheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	goyaml "go.yaml.in/yaml/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	strictjson "sigs.k8s.io/json"
)

// DroppedKey is a key of a definition that the API server does not know and drops, perhaps because it
// is spelt wrong: what its author wanted to be checked is not.
type DroppedKey struct {
	// CRD is the definition's name.
	CRD string
	// Key is its path in the definition: "spec.versions[0].schema.openAPIV3Schema.maxProperty".
	Key string
	// Line of the stream, from 1.
	Line int
}

// schemaOf are types that read themselves, and what they read where it is an object or a list of
// objects. Go's decoders do not look for unknown keys in such types.
var schemaOf = map[reflect.Type]reflect.Type{
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrArray]():       reflect.TypeFor[apiextensionsv1.JSONSchemaProps](),
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrBool]():        reflect.TypeFor[apiextensionsv1.JSONSchemaProps](),
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrStringArray](): reflect.TypeFor[apiextensionsv1.JSONSchemaProps](),
}

// keyCheck looks for keys that a type does not have.
type keyCheck struct {
	fields  map[reflect.Type]map[string]reflect.Type // by type and key
	unknown []string
}

// droppedKeys returns the paths of keys that a definition has and its type has not, below a path.
func (k *keyCheck) droppedKeys(definition []byte, path string) []string {
	var value any
	if err := strictjson.UnmarshalCaseSensitivePreserveInts(definition, &value); err != nil {
		return nil // told by who reads the definition
	}
	k.unknown = nil
	k.look(value, reflect.TypeFor[apiextensionsv1.CustomResourceDefinition](), path)
	return k.unknown
}

func (k *keyCheck) look(value any, of reflect.Type, path string) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	of, reads := readAs(of)
	if !reads {
		return
	}
	switch v := value.(type) {
	case []any:
		if of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		for i, item := range v {
			k.look(item, of, fmt.Sprintf("%s[%d]", path, i))
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			k.lookAt(name, v[name], of, field(path, name))
		}
	}
}

func (k *keyCheck) lookAt(name string, value any, of reflect.Type, path string) {
	switch of.Kind() {
	case reflect.Map:
		k.look(value, of.Elem(), path)
	case reflect.Struct:
		if below, known := k.fieldsOf(of)[name]; known {
			k.look(value, below, path)
		} else {
			k.unknown = append(k.unknown, path)
		}
	}
}

// readAs returns the type that a type's decoder reads; false where that is anything.
func readAs(of reflect.Type) (reflect.Type, bool) {
	if schema, found := schemaOf[of]; found {
		return schema, true
	}
	return of, !reflect.PointerTo(of).Implements(reflect.TypeFor[json.Unmarshaler]())
}

func (k *keyCheck) fieldsOf(of reflect.Type) map[string]reflect.Type {
	if known, found := k.fields[of]; found {
		return known
	}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields[name] = f.Type
		}
	}
	k.fields[of] = fields
	return fields
}

// linesOf returns the lines of the stream on which keys of a document stand, by their paths.
func (d document) linesOf(keys []string) map[string]int {
	lines := map[string]int{}
	var root goyaml.Node
	if err := goyaml.NewDecoder(bytes.NewReader(d.content)).Decode(&root); err != nil {
		return lines // JSON that is no YAML
	}
	for _, node := range root.Content {
		d.findKeys(node, "", keys, lines)
	}
	return lines
}

func (d document) findKeys(node *goyaml.Node, path string, keys []string, lines map[string]int) {
	switch node.Kind {
	case goyaml.AliasNode:
		d.findKeys(node.Alias, path, keys, lines)
	case goyaml.SequenceNode:
		for i, item := range node.Content {
			d.findKeys(item, fmt.Sprintf("%s[%d]", path, i), keys, lines)
		}
	case goyaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, below := node.Content[i], path
			if key.Value != "<<" { // a merge brings keys in
				below = field(path, key.Value)
			}
			if slices.Contains(keys, below) && lines[below] == 0 {
				lines[below] = d.line + key.Line - 1
			}
			d.findKeys(node.Content[i+1], below, keys, lines)
		}
	}
}
