package kubeconfig

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// form is what a value looks like.
type form int

const (
	anything form = iota
	text          // a scalar
	verbatim      // a scalar that must mean what it looks like, because it is handed on as it is
	boolean       // true or false
	encoded       // base64 of PEM
	list          // a sequence of shape.item
	object        // a mapping with shape.fields
)

// shape is the form of a value, with that of its parts.
type shape struct {
	form   form
	item   *shape
	fields map[string]shape
	plain  map[string]string // the fields' names by plainName
}

func objectOf(fields map[string]shape) shape {
	s := shape{form: object, fields: fields, plain: map[string]string{}}
	for name := range fields {
		s.plain[plainName(name)] = name
	}
	return s
}

// plainName is what spellings of a name have in common. Upper case comes first, because that of the
// long s (ſ) is S, as decoders see it.
func plainName(name string) string {
	return strings.ToLower(strings.ToUpper(joints.Replace(name)))
}

var joints = strings.NewReplacer("-", "", "_", "")

func listOf(item shape) shape { return shape{form: list, item: &item} }

// configShape is a kubeconfig as k8s.io/client-go/tools/clientcmd/api/v1 describes it.
var configShape = objectOf(map[string]shape{
	"apiVersion": {form: text}, "kind": {form: text}, "preferences": {}, "extensions": {},
	"current-context": {form: text},
	"contexts": listOf(objectOf(map[string]shape{
		"name": {form: text},
		"context": objectOf(map[string]shape{
			"cluster": {form: text}, "user": {form: text}, "namespace": {form: text}, "extensions": {},
		}),
	})),
	"clusters": listOf(objectOf(map[string]shape{
		"name": {form: text},
		"cluster": objectOf(map[string]shape{
			"server": {form: text}, "tls-server-name": {form: verbatim}, "insecure-skip-tls-verify": {form: boolean},
			"certificate-authority": {form: text}, "certificate-authority-data": {form: encoded},
			"proxy-url": {form: text}, "disable-compression": {form: boolean}, "extensions": {},
		}),
	})),
	"users": listOf(objectOf(map[string]shape{"name": {form: text}, "user": userShape})),
})

var userShape = objectOf(map[string]shape{
	"client-certificate": {form: text}, "client-certificate-data": {form: encoded},
	"client-key": {form: text}, "client-key-data": {form: encoded},
	"token": {form: verbatim}, "tokenFile": {form: text}, "username": {form: verbatim}, "password": {form: verbatim},
	"as": {form: text}, "as-uid": {form: text}, "as-groups": listOf(shape{form: text}), "as-user-extra": {},
	"auth-provider": objectOf(map[string]shape{"name": {form: text}, "config": {}}),
	"exec": objectOf(map[string]shape{
		"command": {form: text}, "args": listOf(shape{form: text}), "apiVersion": {form: text},
		"env": listOf(objectOf(map[string]shape{"name": {form: text}, "value": {form: text}})), "installHint": {form: text},
		"provideClusterInfo": {form: boolean}, "interactiveMode": {form: text},
	}),
	"extensions": {},
})

// check compares a value with the shape and returns the first difference. path is the value's
// field.
func (s shape) check(path string, value *yaml.Node) error {
	if isNull(value) {
		return nil // as if it were not there
	}
	switch s.form {
	case object:
		return s.checkObject(path, value)
	case list:
		if value.Kind != yaml.SequenceNode {
			return refuse(path, "is no list")
		}
		for _, each := range value.Content {
			if err := s.item.check(path+"[]", each); err != nil {
				return err
			}
		}
		return nil
	case anything:
		return checkKeys(path, value)
	}
	return s.checkScalar(path, value)
}

func (s shape) checkObject(path string, value *yaml.Node) error {
	if value.Kind != yaml.MappingNode {
		return refuse(path, "is no mapping")
	}
	lines := map[string]int{}
	for i := 0; i < len(value.Content); i += 2 {
		key, part := value.Content[i], value.Content[i+1]
		name, known := s.fieldNamed(key.Value)
		field := strings.TrimPrefix(path+"."+name, ".")
		if !known {
			field = path
		}
		if known && name != key.Value {
			return refuse(field, fmt.Sprintf("is spelled otherwise on line %d", key.Line))
		}
		if former, twice := lines[key.Value]; twice {
			return refuse(field, fmt.Sprintf("has one key twice, on lines %d and %d", former, key.Line))
		}
		lines[key.Value] = key.Line
		if err := s.fields[name].check(field, part); err != nil {
			return err
		}
	}
	return nil
}

// fieldNamed returns the field that a key means. Decoders ignore the case of a key, and people
// mistake one way of joining words for another.
func (s shape) fieldNamed(key string) (name string, known bool) {
	if _, found := s.fields[key]; found {
		return key, true
	}
	name, known = s.plain[plainName(key)]
	return name, known
}

// checkKeys refuses a key that is there twice, at any depth. It is for values whose fields are not
// known.
func checkKeys(path string, value *yaml.Node) error {
	lines := map[string]int{}
	for i, part := range value.Content {
		if value.Kind == yaml.MappingNode && i%2 == 0 {
			if former, twice := lines[part.Value]; twice && part.Kind == yaml.ScalarNode {
				return refuse(path, fmt.Sprintf("has one key twice, on lines %d and %d", former, part.Line))
			}
			lines[part.Value] = part.Line
		}
		if err := checkKeys(path, part); err != nil {
			return err
		}
	}
	return nil
}
