package crdcheck

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// facet compares one keyword of a path that both sides have.
func (c *comparison) facet(is *node, key string, d difference, old, found tree) {
	path := is.path
	switch key {
	case keyRequired:
		c.required(is, d, old, found)
	case keyEnum:
		c.onOff(path, d, RuleEnumAdded, RuleEnumRemoved, RuleEnumAdded)
	case keyDefault:
		c.defaults(is, d, found)
	case keyFormat:
		c.format(path, d)
	case keyListType:
		c.listType(path, d)
	case keyRules:
		c.rules(path, d)
	case keyAllOf:
		c.branches(path, d, RuleAllOfRemoved, RuleAllOfAdded)
	case keyAnyOf:
		c.anyOf(path, d)
	case keyOneOf:
		c.onOff(path, d, RuleOneOfAdded, RuleOneOfRemoved, RuleOneOfChanged)
	case keyNot:
		c.onOff(path, d, RuleNotAdded, RuleNotRemoved, RuleNotChanged)
	case keyPattern:
		c.onOff(path, d, RulePatternAdded, RulePatternRemoved, RulePatternChanged)
	case keyNullable:
		c.onOff(path, d, RuleNullableAdded, RuleNullableRemoved, RuleNullableAdded)
	case keyEmbedded:
		c.onOff(path, d, RuleEmbeddedResourceAdded, RuleEmbeddedResourceRemoved, RuleEmbeddedResourceAdded)
	case keyListMapKeys:
		if old.at(path).value(keyListType) != is.value(keyListType) {
			return // told as the list's type
		}
		c.tell(RuleListMapKeysChanged, path, orAbsent(d.old), orAbsent(d.found))
	case keyMapType:
		c.tell(RuleMapTypeChanged, path, orText(d.old, "granular"), orText(d.found, "granular"))
	case keyMultipleOf:
		c.multipleOf(old.at(path), is, d)
	case keyType, keyIntOrString, keyPreserve, keyAdditional, keyMinimum, keyMaximum, keyExclusiveMin, keyExclusiveMax:
		// compared together with others: types, openness, limits
	default:
		if !isBoundKey(key) {
			c.tell(RuleNotCheckable, path, orAbsent(d.old), orAbsent(d.found))
		}
	}
}

func isBoundKey(key string) bool {
	return slices.ContainsFunc(bounds, func(b bound) bool { return b.key == key })
}

func orAbsent(value string) string {
	if value == "" {
		return absentValue
	}
	return value
}

// orText is a quoted value without its quotes, or what its absence means.
func orText(value, absence string) string {
	if value == "" {
		return absence
	}
	return strings.Trim(value, `"`)
}

// onOff is for keywords of which nothing is known but that they are there, and say something else.
func (c *comparison) onOff(path string, d difference, added, removed, changed RuleID) {
	rule := changed
	switch {
	case d.old == "":
		rule = added
	case d.found == "":
		rule = removed
	}
	c.tell(rule, path, orAbsent(d.old), orAbsent(d.found))
}

func (c *comparison) required(is *node, d difference, old, found tree) {
	before, now := list(d.old), list(d.found)
	for _, name := range missing(before, now) {
		path := field(is.path, name)
		if old.at(path) != nil && found.at(path) == nil {
			continue // told as a field that is gone
		}
		c.tell(RuleRequiredRemoved, path, keyRequired, "optional")
	}
	for _, name := range missing(now, before) {
		path := field(is.path, name)
		child := found.at(path)
		rule := RuleRequiredAdded
		switch {
		case child != nil && old.at(path) == nil:
			continue // told as a field that was added
		case child != nil && child.value(keyDefault) != "":
			rule = RuleRequiredDefaulted
		case c.usage.sends(is.path, name):
			continue
		}
		c.tellAmong(c.rolesOf(is.path), rule, path, "optional", keyRequired)
	}
}

// raw decodes a facet that is a list; the elements stay in canonical JSON.
func raw(value string) []string {
	if value == "" {
		return nil
	}
	var elements []json.RawMessage
	_ = json.Unmarshal([]byte(value), &elements) // canonical made it
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = string(element)
	}
	return texts
}

// enumFits reports whether the old side had an enumeration and the new one has none, but a pattern
// and lengths that every value of it fits.
func enumFits(was, is *node) bool {
	values := raw(was.value(keyEnum))
	return len(values) > 0 && is.value(keyEnum) == "" && len(fitting(values, is)) == len(values)
}

// fitting are the values of an enumeration that fit the pattern and the lengths beside it.
func fitting(values []string, beside *node) []string {
	pattern, err := regexp.Compile(unquote(beside.value(keyPattern)))
	if err != nil {
		return values
	}
	least, most := parse(beside.value(keyMinLength)), parse(beside.value(keyMaxLength))
	return slices.DeleteFunc(slices.Clone(values), func(value string) bool {
		var text string
		if json.Unmarshal([]byte(value), &text) != nil {
			return false // no text has a pattern or a length
		}
		length := float64(utf8.RuneCountInString(text))
		return !pattern.MatchString(text) || length < least || beside.value(keyMaxLength) != "" && length > most
	})
}

func unquote(value string) string {
	var text string
	if value != "" {
		_ = json.Unmarshal([]byte(value), &text) // canonical made it
	}
	return text
}

// enums compares enumerations, of which both sides count the values that they do accept.
func (c *comparison) enums(was, is *node) {
	before, now := fitting(raw(was.value(keyEnum)), was), fitting(raw(is.value(keyEnum)), is)
	c.elements(is.path, before, now, RuleEnumValueRemoved, RuleEnumValueAdded)
}

// branches compares two lists that are sets, element by element.
func (c *comparison) branches(path string, d difference, removed, added RuleID) {
	c.elements(path, raw(d.old), raw(d.found), removed, added)
}

// elements tells what only one of two sets has, element by element.
func (c *comparison) elements(path string, old, found []string, removed, added RuleID) {
	for _, element := range missing(old, found) {
		c.tell(removed, path, element, absentValue)
	}
	for _, element := range missing(found, old) {
		c.tell(added, path, absentValue, element)
	}
}

// rules compares CEL rules. One that went while another one came is one that was changed, and is
// told from where it differs.
func (c *comparison) rules(path string, d difference) {
	old, found := raw(d.old), raw(d.found)
	gone, come := missing(old, found), missing(found, old)
	if len(gone) == 1 && len(come) == 1 {
		was, is := whereDiffering(gone[0], come[0])
		c.tell(RuleCELRuleChanged, path, was, is)
		return
	}
	c.branches(path, d, RuleCELRuleRemoved, RuleCELRuleAdded)
}

// around is how many characters are shown before the place where two long texts differ.
const around = 24

// whereDiffering cuts the beginning that two long texts have in common.
func whereDiffering(old, found string) (was, is string) {
	a, b := []rune(old), []rune(found)
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if same <= 2*around {
		return old, found
	}
	return "..." + string(a[same-around:]), "..." + string(b[same-around:])
}

// anyOf is a set of which one is enough: more branches accept more, and none at all accepts
// everything.
func (c *comparison) anyOf(path string, d difference) {
	old, found := raw(d.old), raw(d.found)
	less, more := missing(old, found), missing(found, old)
	rule := RuleAnyOfChanged
	switch {
	case d.old == "" || d.found != "" && len(more) == 0:
		rule = RuleAnyOfNarrowed
	case d.found == "" || len(less) == 0:
		rule = RuleAnyOfWidened
	}
	c.tell(rule, path, orAbsent(d.old), orAbsent(d.found))
}

func (c *comparison) defaults(is *node, d difference, found tree) {
	rule := RuleDefaultChanged
	switch {
	case d.old == "":
		rule = RuleDefaultAdded
	case d.found == "":
		rule = RuleDefaultRemoved
		if isRequired(found.at(is.parent), is.path) && !c.usage.sends(is.parent, lastName(is.path)) {
			rule = RuleRequiredDefaultRemoved
		}
	}
	c.tell(rule, is.path, orAbsent(d.old), orAbsent(d.found))
}

// wider are formats that hold each value of another one.
var wider = map[string]string{"int32": "int64", "float": "double"}

func (c *comparison) format(path string, d difference) {
	old, found := orText(d.old, ""), orText(d.found, "")
	rule := RuleFormatChanged
	switch {
	case found == "" || old != "" && wider[old] == found:
		rule = RuleFormatWidened
	case old == "" || wider[found] == old:
		rule = RuleFormatNarrowed
	}
	c.tell(rule, path, orText(d.old, absentValue), orText(d.found, absentValue))
}

func (c *comparison) listType(path string, d difference) {
	rule := RuleListTypeChanged
	if d.found != "" {
		rule = RuleListTypeNarrowed // set or map: unique entries
	}
	c.tell(rule, path, orText(d.old, "atomic"), orText(d.found, "atomic"))
}

func (c *comparison) multipleOf(was, is *node, d difference) {
	old, found := parse(d.old), parse(d.found)
	oldText, foundText := orAbsent(d.old), orAbsent(d.found)
	rule := RuleMultipleOfChanged
	switch before, after := unusable(was, d.old), unusable(is, d.found); {
	case before && after:
		return
	case before:
		rule, oldText = RuleMultipleOfLoosened, oldText+noNumber
	case after:
		rule, foundText = RuleMultipleOfTightened, foundText+noNumber
	case d.old != "" && d.found != "" && (old != math.Trunc(old) || found != math.Trunc(found)):
		// of a whole value the server looks at the whole part of the multiple alone
	case d.old == "" || d.found != "" && math.Mod(found, old) == 0:
		rule = RuleMultipleOfTightened
	case d.found == "" || math.Mod(old, found) == 0:
		rule = RuleMultipleOfLoosened
	}
	c.tell(rule, is.path, oldText, foundText)
}

func parse(value string) float64 {
	n, _ := strconv.ParseFloat(value, 64) // canonical made it, or it is not there
	return n
}
