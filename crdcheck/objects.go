package crdcheck

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// PathsOf returns the paths of all leaves of objects, sorted, without apiVersion, kind and
// metadata: "spec.disks[].name". An empty list or map is a leaf, as is the metadata of an object in
// the object, such as a template: what that holds is no matter of a definition.
func PathsOf(objects ...map[string]any) []string {
	found := map[string]bool{}
	for _, object := range objects {
		for _, name := range sortedKeys(object) {
			if !slices.Contains([]string{"apiVersion", "kind", "metadata"}, name) {
				leaves(object[name], field("", name), found)
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func leaves(value any, path string, found map[string]bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, child := range v {
			if name == "metadata" {
				child = nil
			}
			leaves(child, field(path, name), found)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for _, child := range v {
			leaves(child, path+anyItem, found)
		}
		if len(v) > 0 {
			return
		}
	}
	found[path] = true
}

// valuesAt returns the values of an object at a path of a schema.
func valuesAt(object map[string]any, path string) []any {
	values := []any{object}
	for _, step := range steps(path) {
		var next []any
		for _, value := range values {
			next = append(next, step.of(value)...)
		}
		values = next
	}
	return values
}

// step is one segment of a path: a field's name, the items of a list, the values of a map.
type step struct {
	name string
	kind string // "", anyItem or anyValue
}

func (s step) of(value any) []any {
	switch v := value.(type) {
	case []any:
		if s.kind == anyItem {
			return v
		}
	case map[string]any:
		if s.kind == anyValue {
			return slices.Collect(maps.Values(v))
		}
		if child, found := v[s.name]; found && s.kind == "" {
			return []any{child}
		}
	}
	return nil
}

// below returns the path of the step below another path.
func (s step) below(path string) string {
	if s.kind != "" {
		return path + s.kind
	}
	return field(path, s.name)
}

func steps(path string) []step {
	if path == "" {
		return nil
	}
	var found []step
	before := ""
	for _, prefix := range ancestors(path) {
		found = append(found, stepOf(strings.TrimPrefix(strings.TrimPrefix(prefix, before), ".")))
		before = prefix
	}
	return found
}

func stepOf(segment string) step {
	switch {
	case segment == anyItem || segment == anyValue:
		return step{kind: segment}
	case strings.HasPrefix(segment, `["`):
		name, _ := strconv.Unquote(strings.TrimSuffix(strings.TrimPrefix(segment, "["), "]")) // field quoted it
		return step{name: name}
	default:
		return step{name: segment}
	}
}

// lastName returns the name of the field that a path ends in, "" where it ends in the items of a
// list or the values of a map.
func lastName(path string) string {
	all := steps(path)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].name
}
