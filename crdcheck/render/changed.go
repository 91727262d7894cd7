package render

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// absent is what a finding has for a value that one side lacks.
const absent = "absent"

// changed is the sentence of a rule of Compare: version, path, and what is different there.
func changed(f crdcheck.Finding) string {
	sentence := difference(f)
	if f.Path != "" {
		sentence = f.Path + ": " + sentence
	}
	if f.Version != "" {
		sentence = f.Version + ": " + sentence
	}
	return sentence
}

// difference says what is different, in words of its own where those of the rule do not suffice.
func difference(f crdcheck.Finding) string {
	switch f.Rule {
	case crdcheck.RuleEnumAdded, crdcheck.RuleEnumRemoved, crdcheck.RuleEnumValueAdded, crdcheck.RuleEnumValueRemoved,
		crdcheck.RulePatternAdded, crdcheck.RulePatternRemoved, crdcheck.RulePatternChanged:
		return words(f.Rule) + ": " + consequence(f)
	case crdcheck.RuleRequiredAdded:
		return "is required, in the baseline optional"
	case crdcheck.RuleRequiredRemoved:
		return "is optional, in the baseline required"
	case crdcheck.RuleRequiredDefaulted:
		return "is required and filled in where it is missing, in the baseline optional"
	case crdcheck.RuleRequiredDefaultRemoved:
		return "default of a required field removed: " + shorten(f.Old)
	case crdcheck.RuleFieldListed:
		return "is checked, in the baseline kept unchecked: " + shorten(f.New)
	case crdcheck.RuleFieldUnlisted:
		return "is kept unchecked, in the baseline checked: " + shorten(f.Old)
	case crdcheck.RuleUnknownFieldsKept, crdcheck.RuleUnknownFieldsPruned, crdcheck.RuleUnknownFieldsSwitched:
		return fmt.Sprintf("%s, in the baseline %s", f.New, strings.TrimPrefix(f.Old, "unknown fields "))
	case crdcheck.RuleSchemaAdded, crdcheck.RuleSchemaRemoved, crdcheck.RuleStatusSubresourceAdded,
		crdcheck.RuleVersionUndeprecated:
		return words(f.Rule)
	case crdcheck.RuleVersionServed, crdcheck.RuleVersionUnserved:
		return fmt.Sprintf("version is %s, in the baseline %s", f.New, f.Old)
	case crdcheck.RuleVersionRemoved:
		return fmt.Sprintf("version removed (%s)", f.Old)
	case crdcheck.RuleStoredVersionRemoved:
		return fmt.Sprintf("version removed (%s), in which objects are stored", f.Old)
	case crdcheck.RuleVersionMayBeStored:
		return fmt.Sprintf("version removed (%s), in which objects may be stored", f.Old)
	default:
		return contrast(f)
	}
}

// contrast is the rule's own words and what both sides have. Of what was added or removed there is
// one value; of what is tighter, wider or other than before people need to see both.
func contrast(f crdcheck.Finding) string {
	name := string(f.Rule)
	single := strings.HasSuffix(name, "-added") || strings.HasSuffix(name, "-removed") ||
		f.Rule == crdcheck.RuleNotCheckable
	switch {
	case single && f.Old == absent:
		return fmt.Sprintf("%s: %s", words(f.Rule), shorten(f.New))
	case single && f.New == absent:
		return fmt.Sprintf("%s: %s", words(f.Rule), shorten(f.Old))
	default:
		return fmt.Sprintf("%s: %s, in the baseline %s", words(f.Rule), orNone(f.New), orNone(f.Old))
	}
}

func orNone(value string) string {
	if value == absent || value == "" {
		return "none"
	}
	return shorten(value)
}

// keywords are written as in a schema; "not added" would say the contrary of what is meant.
var keywords = strings.NewReplacer(
	"all of ", "allOf ", "any of ", "anyOf ", "one of ", "oneOf ", "not added", `"not" added`,
	"not removed", `"not" removed`,
	"not changed", `"not" changed`, "max items", "maxItems", "max length", "maxLength", "max properties", "maxProperties",
	"min items", "minItems", "min length", "minLength", "min properties", "minProperties", "multiple of", "multipleOf",
	"cel rule", "CEL rule", "crd ", "CRD ", "not checkable", "cannot be checked", "version undeprecated",
	"version is no longer deprecated",
)

// words are those of a rule's name.
func words(rule crdcheck.RuleID) string {
	return keywords.Replace(strings.ReplaceAll(string(rule), "-", " "))
}

// consequence says what an enumeration or a pattern makes of values: which are refused, or which
// readers may meet.
func consequence(f crdcheck.Finding) string {
	old, found := valuesOf(f.Old), valuesOf(f.New)
	switch f.Rule {
	case crdcheck.RuleEnumAdded:
		return refuse(f, "what is none of "+found)
	case crdcheck.RuleEnumValueRemoved:
		return refuse(f, old)
	case crdcheck.RulePatternAdded:
		return refuse(f, "what does not match "+found)
	case crdcheck.RuleEnumRemoved:
		return accept(f, "other values than "+old)
	case crdcheck.RuleEnumValueAdded:
		return accept(f, found)
	case crdcheck.RulePatternRemoved:
		return accept(f, "values that do not match "+old)
	}
	if f.Direction == crdcheck.Read || f.Direction == crdcheck.Roundtrip {
		return accept(f, fmt.Sprintf("values that match %s and not %s", found, old))
	}
	return refuse(f, fmt.Sprintf("what matches %s and not %s", old, found))
}

// refuse says of values that they are refused. A version that is stored may have them.
func refuse(f crdcheck.Finding, values string) string {
	if f.Direction == crdcheck.Storage {
		return values + " is refused, and stored objects may have it"
	}
	return values + " is refused"
}

// accept says of values that they come: to readers, who are told, or from writers, who may.
func accept(f crdcheck.Finding, values string) string {
	if f.Direction == crdcheck.Read || f.Direction == crdcheck.Roundtrip {
		return "readers may meet " + values
	}
	return "writers may use " + values
}

// valuesOf is a value, or the values of a list without its brackets: `"red", "green"`.
func valuesOf(text string) string {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return shorten(text)
	}
	values := make([]string, len(list))
	for i, value := range list {
		values[i] = string(value)
	}
	return shorten(strings.Join(values, ", "))
}
