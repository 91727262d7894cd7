package render

import (
	"fmt"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// longestValue is how many runes of a value are shown: an enumeration or a CEL rule can fill pages.
const longestValue = 160

// Sentence says what was found, without the cluster and the CRD: "field spec.machineClass or
// spec.instanceType is missing".
func Sentence(f crdcheck.Finding) string {
	path := strings.ReplaceAll(f.Path, "|", " or ")
	if path == "" {
		path = "the object"
	}
	switch f.Rule {
	case crdcheck.RuleClusterUnknown:
		return "could not be read: " + f.Why
	case crdcheck.RuleCRDMissing:
		return "the CRD is missing"
	case crdcheck.RuleVersionNotServed:
		return fmt.Sprintf("version %s is not served, it has %s", f.Version, shorten(f.New))
	case crdcheck.RuleVersionDeprecated:
		return fmt.Sprintf("version %s is deprecated", f.Version)
	case crdcheck.RuleFieldMissing:
		return fmt.Sprintf("field %s is missing", path)
	case crdcheck.RuleFieldUnchecked:
		return fmt.Sprintf("field %s cannot be checked: %s", path, f.Why)
	case crdcheck.RuleScopeDiffers:
		return fmt.Sprintf("scope is %s, in the baseline %s", f.New, f.Old)
	case crdcheck.RuleVersionsDiffer:
		return fmt.Sprintf("versions are (%s), in the baseline (%s)", shorten(f.New), shorten(f.Old))
	case crdcheck.RuleObjectRefused, crdcheck.RuleObjectWarned:
		return fmt.Sprintf("%s: %s: %s", path, word(f.Rule), shorten(f.New))
	case crdcheck.RuleObjectPruned, crdcheck.RuleObjectDefaulted, crdcheck.RuleObjectUnchecked:
		return fmt.Sprintf("%s: %s%s", path, word(f.Rule), with(f.New))
	default:
		return changed(f)
	}
}

// word is what happened to an object: "refused".
func word(rule crdcheck.RuleID) string { return strings.TrimPrefix(string(rule), "object-") }

func with(value string) string {
	if value == "" {
		return ""
	}
	return ": " + shorten(value)
}

func shorten(value string) string {
	runes := []rune(value)
	if len(runes) <= longestValue {
		return value
	}
	return string(runes[:longestValue]) + "…"
}
