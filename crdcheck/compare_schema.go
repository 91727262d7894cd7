package crdcheck

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// absentValue stands in Finding.Old and Finding.New for what is not there.
const absentValue = "absent"

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// trees walks two schemas side by side. What is below a path that only one side has, or below one
// whose type is another one, is not reported again.
func (c *comparison) trees(old, found tree) {
	if old == nil || found == nil {
		return // told as schema-removed or schema-added
	}
	closed := map[string]bool{} // paths whose subtree has been told
	var i, j int
	for i < len(old) || j < len(found) {
		switch {
		case j == len(found) || i < len(old) && old[i].path < found[j].path:
			c.removedField(&old[i], found, closed)
			i++
		case i == len(old) || found[j].path < old[i].path:
			c.addedField(&found[j], old, found, closed)
			j++
		default:
			c.bothFields(&old[i], &found[j], old, found, closed)
			i, j = i+1, j+1
		}
	}
}

// below reports whether a node's subtree has been told at an ancestor, and passes that on.
func below(n *node, closed map[string]bool) bool {
	if n.path != "" && closed[n.parent] {
		closed[n.path] = true
		return true
	}
	return false
}

func (c *comparison) removedField(was *node, found tree, closed map[string]bool) {
	if below(was, closed) {
		return
	}
	closed[was.path] = true
	if toldAsEmbedded(was, found) {
		return
	}
	values := found.at(was.parent + anyValue)
	switch {
	case values != nil && typeOf(values) != typeOf(was):
		c.tell(RuleTypeChanged, was.path, orAny(typeOf(was)), orAny(typeOf(values)))
	case keepsUnlisted(found, was):
		c.tell(RuleFieldUnlisted, was.path, text(was.facets), absentValue)
	default:
		c.tell(RuleFieldRemoved, was.path, text(was.facets), absentValue)
	}
}

func (c *comparison) addedField(is *node, old, found tree, closed map[string]bool) {
	if below(is, closed) {
		return
	}
	closed[is.path] = true
	if toldAsEmbedded(is, old) {
		return
	}
	required := isRequired(found.at(is.parent), is.path) && is.value(keyDefault) == "" &&
		!c.usage.sends(is.parent, lastName(is.path))
	switch {
	case required: // felt by whoever writes the parent
		c.tellAmong(c.rolesOf(is.parent), RuleRequiredFieldAdded, is.path, absentValue, text(is.facets))
	case keepsUnlisted(old, is):
		c.tell(RuleFieldListed, is.path, absentValue, text(is.facets))
	default:
		c.tell(RuleFieldAdded, is.path, absentValue, text(is.facets))
	}
}

// toldAsEmbedded reports whether a node is there because its parent is a whole object, and the
// other side's is none.
func toldAsEmbedded(n *node, other tree) bool {
	name, parent := lastName(n.path), other.at(n.parent)
	return n.parent != "" && parent != nil && parent.value(keyEmbedded) == "" &&
		(name == fieldAPIVersion || name == fieldKind || name == fieldMetadata) && n.always
}

// keepsUnlisted reports whether the other side keeps a field that it does not name: unknown ones,
// or those of a map.
func keepsUnlisted(other tree, n *node) bool {
	parent := other.at(n.parent)
	if parent == nil {
		return false
	}
	return parent.open || other.at(n.parent+anyValue) != nil && !strings.HasSuffix(n.path, anyItem)
}

// isRequired reports whether a node requires its child of this path.
func isRequired(parent *node, path string) bool {
	return parent != nil &&
		slices.ContainsFunc(
			list(parent.value(keyRequired)), func(name string) bool { return field(parent.path, name) == path },
		)
}

// list decodes a facet that is a list of strings.
func list(value string) []string {
	if value == "" {
		return nil
	}
	var names []string
	_ = json.Unmarshal([]byte(value), &names) // canonical made it
	return names
}

func (c *comparison) bothFields(was, is *node, old, found tree, closed map[string]bool) {
	if below(is, closed) {
		return
	}
	changed := differing(was.facets, is.facets)
	if len(changed) == 0 && was.open == is.open {
		return
	}
	if c.types(was, is, changed) {
		closed[is.path] = true
		return
	}
	if was.open != is.open && !keepsValues(old.at(is.path+anyValue)) && !keepsValues(found.at(is.path+anyValue)) {
		c.openness(was, is)
	}
	enumerated := was.value(keyEnum) != "" && is.value(keyEnum) != ""
	if enumerated {
		delete(changed, keyEnum)
		c.enums(was, is)
	}
	if enumerated || enumFits(was, is) {
		for _, key := range []string{keyPattern, keyMinLength, keyMaxLength} {
			delete(changed, key) // what they say of the values of an enumeration is told
		}
	}
	for _, key := range sortedKeys(changed) {
		c.facet(is, key, changed[key], old, found)
	}
	c.limits(changed, was, is, old)
}

// difference is what both sides say for one keyword, "" where they do not use it.
type difference struct{ old, found string }

// differing returns the keywords in which two nodes differ.
func differing(was, is []facet) map[string]difference {
	var changed map[string]difference
	add := func(key, old, found string) {
		if changed == nil {
			changed = map[string]difference{}
		}
		changed[key] = difference{old, found}
	}
	var i, j int
	for i < len(was) || j < len(is) {
		switch {
		case j == len(is) || i < len(was) && was[i].key < is[j].key:
			add(was[i].key, was[i].value, "")
			i++
		case i == len(was) || is[j].key < was[i].key:
			add(is[j].key, "", is[j].value)
			j++
		default:
			if was[i].value != is[j].value {
				add(was[i].key, was[i].value, is[j].value)
			}
			i, j = i+1, j+1
		}
	}
	return changed
}

// keepsValues reports whether nothing is dropped of the values of a map, which keeps each key.
func keepsValues(values *node) bool {
	return values != nil && (values.open || isScalar(typeOf(values)))
}

func (c *comparison) openness(was, is *node) {
	rule := RuleUnknownFieldsPruned
	if is.open {
		rule = RuleUnknownFieldsKept
	}
	c.tell(rule, is.path, keeping(was.open), keeping(is.open))
}

// types compares types, and reports whether they have nothing in common.
func (c *comparison) types(was, is *node, changed map[string]difference) bool {
	_, one := changed[keyType]
	_, other := changed[keyIntOrString]
	if !one && !other {
		return false
	}
	old, found := typeOf(was), typeOf(is)
	switch {
	case found == "" || contains(found, old):
		c.tell(RuleTypeWidened, is.path, orAny(old), orAny(found))
	case old == "" || contains(old, found):
		c.tell(RuleTypeNarrowed, is.path, orAny(old), orAny(found))
	default:
		c.tell(RuleTypeChanged, is.path, old, found)
		return true
	}
	return false
}

func typeOf(n *node) string {
	if n.value(keyIntOrString) != "" {
		return "int-or-string"
	}
	return strings.Trim(n.value(keyType), `"`)
}

func orAny(kind string) string {
	if kind == "" {
		return "any"
	}
	return kind
}

// contains reports whether each value of one type is one of the other.
func contains(wide, narrow string) bool {
	switch wide {
	case "int-or-string":
		return narrow == "integer" || narrow == "string"
	case "number":
		return narrow == "integer"
	default:
		return false
	}
}
