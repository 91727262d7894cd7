package admit

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
)

// coerce prunes an object, and returns the paths of what it dropped.
func (s *schema) coerce(object map[string]any, keepsUnknown bool) ([]string, error) {
	meta, found, pruned, err := objectmeta.GetObjectMetaWithOptions(
		object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true},
	)
	if err != nil {
		return nil, err
	}
	kind, apiVersion := object["kind"], object["apiVersion"]
	if !keepsUnknown {
		pruned = append(
			pruned,
			pruning.PruneWithOptions(
				object, s.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true},
			)...)
		defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	}
	fault, unknown := objectmeta.CoerceWithOptions(
		nil, object, s.structural, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true},
	)
	if fault != nil {
		return nil, fault
	}
	object["kind"], object["apiVersion"] = kind, apiVersion
	if found {
		if err := objectmeta.SetObjectMeta(object, meta); err != nil {
			return nil, err
		}
	}
	return append(pruned, unknown...), nil
}

// fill fills in defaults, and returns which.
func (s *schema) fill(object map[string]any) []Filled {
	before, _ := copyJSON(object, "") // it was copied before
	defaulting.Default(object, s.structural)
	var filled []Filled
	differences(before, object, "", &filled)
	return filled
}

// differences finds what defaulting added. It adds and never removes, but for null, which it
// replaces.
func differences(before, after any, path string, filled *[]Filled) {
	switch now := after.(type) {
	case map[string]any:
		was, isObject := before.(map[string]any)
		if !isObject {
			break
		}
		for _, name := range slices.Sorted(maps.Keys(now)) {
			old, found := was[name]
			child := join(path, name)
			if !found {
				*filled = append(*filled, Filled{child, text(now[name])})
				continue
			}
			differences(old, now[name], child, filled)
		}
		return
	case []any:
		was, isList := before.([]any)
		if !isList || len(was) != len(now) {
			break
		}
		for i := range now {
			differences(was[i], now[i], path+"["+strconv.Itoa(i)+"]", filled)
		}
		return
	}
	if !reflect.DeepEqual(before, after) {
		*filled = append(*filled, Filled{path, text(after)})
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func text(value any) string {
	encoded, _ := json.Marshal(value) // it came from JSON
	return string(encoded)
}

// unchecked returns the paths of values that the schema keeps and says nothing about.
func unchecked(object map[string]any, s *structuralschema.Structural) []string {
	var paths []string
	var walk func(value any, s *structuralschema.Structural, path string)
	walk = func(value any, s *structuralschema.Structural, path string) {
		if s == nil {
			paths = append(paths, path)
			return
		}
		switch v := value.(type) {
		case map[string]any:
			if s.XEmbeddedResource {
				v = maps.Clone(v)
				for _, name := range []string{"apiVersion", "kind", "metadata"} {
					delete(v, name)
				}
			}
			for name, child := range v {
				known, found := s.Properties[name]
				switch {
				case found:
					walk(child, &known, join(path, name))
				case s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil:
					walk(child, s.AdditionalProperties.Structural, join(path, name))
				default:
					paths = append(paths, join(path, name))
				}
			}
		case []any:
			for i, child := range v {
				walk(child, s.Items, path+"["+strconv.Itoa(i)+"]")
			}
		}
	}
	own := maps.Clone(object)
	for _, name := range []string{"apiVersion", "kind", "metadata"} {
		delete(own, name)
	}
	walk(own, s, "")
	return sortedOnce(paths)
}

// maxExact is beyond every whole number that a float64 tells from its neighbours.
const maxExact = 1 << 53

// copyJSON copies what can come out of JSON; whole numbers become int64, as the API server decodes
// them.
func copyJSON(value any, path string) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for name, child := range v {
			c, err := copyJSON(child, join(path, name))
			if err != nil {
				return nil, err
			}
			copied[name] = c
		}
		return copied, nil
	case []any:
		copied := make([]any, len(v))
		for i, child := range v {
			c, err := copyJSON(child, path+"["+strconv.Itoa(i)+"]")
			if err != nil {
				return nil, err
			}
			copied[i] = c
		}
		return copied, nil
	case nil, string, bool, int64:
		return v, nil
	case int:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s: no number of JSON", path)
		}
		if whole := int64(v); math.Abs(v) < maxExact && float64(whole) == v {
			return whole, nil // it is written without a point
		}
		return v, nil
	default:
		return nil, fmt.Errorf("%s: %T does not come out of JSON", path, value)
	}
}
