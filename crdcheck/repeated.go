package crdcheck

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/go-multierror"
	goyaml "go.yaml.in/yaml/v3"
	"sigs.k8s.io/json"
)

// repeatedInJSON returns an error for each key that an object has twice.
func repeatedInJSON(encoded []byte) error {
	var (
		value  any
		failed *multierror.Error
	)
	strict, err := json.UnmarshalStrict(encoded, &value, json.DisallowDuplicateFields)
	if err != nil {
		return err
	}
	return multierror.Append(failed, strict...).ErrorOrNil()
}

// repeatedInYAML returns an error, with its line, for each key that a mapping has twice, and one for
// a second object: of both the reader of the values would take one alone. A document that cannot be
// parsed has none: that reader says what is wrong. Keys that a merge ("<<") brings
// in may be given again.
func repeatedInYAML(d document) error {
	var (
		root, second goyaml.Node
		failed       *multierror.Error
		decoder      = goyaml.NewDecoder(bytes.NewReader(d.content))
	)
	if err := decoder.Decode(&root); err != nil {
		return nil //nolint:nilerr // the reader of the values says it, with kubectl's own parser
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return errors.New("more stands behind the end of the object: this is no YAML, or a separator (---) is missing")
	}
	for _, node := range root.Content {
		failed = multierror.Append(failed, d.repeated(node, "")...)
	}
	return failed.ErrorOrNil()
}

// repeated looks at a node and all below it. An alias is not followed: what it stands for is looked
// at where it is written.
func (d document) repeated(node *goyaml.Node, path string) []error {
	var found []error
	if node.Kind == goyaml.SequenceNode {
		for _, item := range node.Content {
			found = append(found, d.repeated(item, path+anyItem)...)
		}
	}
	if node.Kind != goyaml.MappingNode {
		return found
	}
	first := map[string]int{} // the line of each key
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		line, below := d.line+key.Line-1, field(path, key.Value)
		before, twice := first[key.Value]
		switch {
		case !twice:
			first[key.Value] = line
		case below == "kind" || below == "apiVersion":
			return []error{&LoadError{Line: line, Err: fmt.Errorf(
				"key %q is there twice, first in line %d: a separator (---) is missing between them", below, before,
			)}}
		default:
			found = append(found, &LoadError{Line: line, Err: fmt.Errorf(
				"key %q is there twice, first in line %d", below, before,
			)})
		}
		found = append(found, d.repeated(node.Content[i+1], below)...)
	}
	return found
}
