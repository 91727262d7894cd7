package admit_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
)

// values makes values for two schemas of one field: mostly such that fit the former, and often at
// the bounds of either, or just beyond.
type values struct{ random *rand.Rand }

func (g values) chance(percent int) bool { return g.random.IntN(100) < percent }

// value returns one. Either schema may be nil, where that side does not list the field.
func (g values) value(old, found *schema) any {
	follow := old
	if old == nil || found != nil && g.chance(30) {
		follow = found
	}
	if follow == nil {
		return g.anything()
	}
	if (old != nil && old.Nullable || found != nil && found.Nullable) && g.chance(20) {
		return nil
	}
	if given := given(old, found); len(given) > 0 && g.chance(50) {
		return given[g.random.IntN(len(given))]
	}
	kind := follow.Type
	if follow.XIntOrString {
		kind = []string{"integer", "string"}[g.random.IntN(2)]
	}
	switch kind {
	case "object":
		return g.object(old, found)
	case "array":
		return g.array(old, found)
	case "integer":
		return g.integer(old, found)
	case "number":
		if whole := g.integer(old, found); g.chance(50) {
			return float64(whole) + 0.5
		}
		return g.integer(old, found)
	case "boolean":
		return g.chance(50)
	case "string":
		return g.text(old, found)
	default:
		return g.anything()
	}
}

func (g values) anything() any {
	all := []any{"x", int64(7), true, map[string]any{"x": int64(1)}, []any{"x"}, 0.5, map[string]any{}}
	return all[g.random.IntN(len(all))]
}

// given are the values that schemas name.
func given(schemas ...*schema) []any {
	var all []any
	for _, s := range schemas {
		if s == nil {
			continue
		}
		named := s.Enum
		if s.Default != nil {
			named = append(named[:len(named):len(named)], *s.Default)
		}
		for _, one := range named {
			var value any
			if json.Unmarshal(one.Raw, &value) == nil && value != nil {
				all = append(all, whole(value))
			}
		}
	}
	return all
}

// whole makes numbers of JSON whole where they are, as clients of Kubernetes do.
func whole(value any) any {
	switch v := value.(type) {
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return value
}

// unlisted is the name of a field that no schema lists.
const unlisted = "unlisted"

func (g values) object(old, found *schema) map[string]any {
	object := map[string]any{}
	for name := range properties(old, found) {
		switch {
		case !g.chance(70):
		case property(old, name) == nil && g.chance(40): // kept unseen, or dropped
			object[name] = g.anything()
		default:
			object[name] = g.value(property(old, name), property(found, name))
		}
	}
	inMap := func(s *schema) *schema {
		if s == nil || s.AdditionalProperties == nil {
			return nil
		}
		return s.AdditionalProperties.Schema
	}
	if inMap(old) != nil || inMap(found) != nil {
		most := g.random.IntN(101)
		for _, key := range []string{"a", "k1", "k2", "k3", "x"} {
			if g.chance(most) {
				object[key] = g.value(inMap(old), inMap(found))
			}
		}
	}
	if g.chance(30) {
		object[unlisted] = g.anything()
	}
	if (embeds(old) || embeds(found)) && (embeds(old) || g.chance(50)) {
		object["apiVersion"], object["kind"] = "v1", "ConfigMap"
		if g.chance(50) {
			object["metadata"] = map[string]any{"name": "x", "labels": map[string]any{"x": "y"}}
		}
	}
	return object
}

func embeds(s *schema) bool { return s != nil && s.XEmbeddedResource }

// properties are the names of both, and those that either requires.
func properties(schemas ...*schema) map[string]bool {
	names := map[string]bool{}
	for _, s := range schemas {
		if s == nil {
			continue
		}
		for name := range s.Properties {
			names[name] = true
		}
		for _, name := range s.Required {
			names[name] = true
		}
	}
	return names
}

func property(s *schema, name string) *schema {
	if s == nil {
		return nil
	}
	if property, found := s.Properties[name]; found {
		return &property
	}
	return nil
}

func (g values) array(old, found *schema) []any {
	items := func(s *schema) *schema {
		if s == nil || s.Items == nil {
			return nil
		}
		return s.Items.Schema
	}
	length := g.random.IntN(4)
	bounds := lengths(old, found, func(s *schema) []*int64 { return []*int64{s.MinItems, s.MaxItems} })
	if len(bounds) > 0 {
		length = bounds[g.random.IntN(len(bounds))]
	}
	list := []any{}
	for range length {
		if len(list) > 0 && g.chance(20) {
			list = append(list, list[0])
			continue
		}
		list = append(list, g.value(items(old), items(found)))
	}
	return list
}

// lengths are those at bounds, right above and right below.
func lengths(old, found *schema, bounds func(*schema) []*int64) []int {
	var all []int
	for _, s := range []*schema{old, found} {
		if s == nil {
			continue
		}
		for _, bound := range bounds(s) {
			if bound != nil {
				n := int(*bound)
				all = append(all, n, n+1, max(n-1, 0), n+2)
			}
		}
	}
	return all
}

func (g values) integer(old, found *schema) int64 {
	all := []int64{0, 1, -1, 2, 3, 4, 5, 6, 12, 1 << 31, -1 << 31, 1<<31 - 1, 1 << 40}
	for _, s := range []*schema{old, found} {
		if s == nil {
			continue
		}
		for _, bound := range []*float64{s.Minimum, s.Maximum, s.MultipleOf} {
			if bound != nil {
				n := int64(*bound)
				all = append(all, n, n+1, n-1, 2*n)
			}
		}
	}
	return all[g.random.IntN(len(all))]
}

func (g values) text(old, found *schema) string {
	all := []string{
		"", "a", "b", "ab", "ba", "abc", "xyz", "A", "1", "12", "ä", "aaaaaaaaaaab",
		"2026-01-02", "2026-01-02T03:04:05Z", "123e4567-e89b-12d3-a456-426614174000", "10.0.0.1", "10.0.0.0/8", "::1",
		"aGFsbG8=", "a@example.com", "https://example.com/", "5m", "10Mi", "0.5",
	}
	bounds := lengths(old, found, func(s *schema) []*int64 { return []*int64{s.MinLength, s.MaxLength} })
	if len(bounds) > 0 && g.chance(50) {
		return strings.Repeat([]string{"a", "1"}[g.random.IntN(2)], bounds[g.random.IntN(len(bounds))])
	}
	return all[g.random.IntN(len(all))]
}
