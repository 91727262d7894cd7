package admit

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// Verdict is what the API server would do with an object. All lists are sorted by path.
type Verdict struct {
	// Accepted is false where anything is refused.
	Accepted bool
	// Pruned are the paths of fields that are dropped, as the API server writes them:
	// "spec.disks[0].name".
	Pruned []string
	// Unstored are the paths of fields that the version of the object has and the stored version
	// has not: they are lost once written.
	Unstored []string
	// ConvertedTo is the stored version, where a webhook converts the object to it: what of the
	// object it keeps is known to the webhook alone. "" where none does.
	ConvertedTo string
	// Defaulted are the fields that are filled in.
	Defaulted []Filled
	// Refused is what is wrong with the object.
	Refused []Refusal
	// Unchecked are the paths of values that are kept without being looked at.
	Unchecked []string
	// Warnings are the warnings that the server's answer would carry, but for those about unknown
	// fields, which Pruned has.
	Warnings []string
	// Object is what would be kept; it is set where the object is accepted.
	Object map[string]any
}

// Filled is a field that the API server fills in, and its value in JSON.
type Filled struct{ Path, Value string }

// Refusal is one thing that is wrong with an object.
type Refusal struct {
	// Type as the API server names it: "FieldValueInvalid".
	Type string
	// Path of the field; "" where it is about the object.
	Path string
	// Message holds no value of the object beyond what the schema's own messages do.
	Message string
}

// Kept reports whether the object is accepted and nothing of it is lost. It is false where that is
// not known, because a webhook converts the object.
func (v Verdict) Kept() bool {
	return v.Accepted && v.ConvertedTo == "" && len(v.Pruned)+len(v.Unstored) == 0
}

func refusals(errs field.ErrorList) []Refusal {
	var all []Refusal
	for _, err := range errs {
		all = append(
			all, Refusal{Type: string(err.Type), Path: strings.TrimPrefix(pathOf(err), "<nil>"), Message: err.ErrorBody()},
		)
	}
	slices.SortFunc(all, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(all)
}

func pathOf(err *field.Error) string {
	if err.Field == "[]" || err.Field == "<nil>" {
		return ""
	}
	return err.Field
}

// Findings returns the verdict as findings about an object, "namespace/name", of a definition in a
// cluster.
func (v Verdict) Findings(cluster, crd, version, object string) []crdcheck.Finding {
	var all []crdcheck.Finding
	add := func(rule crdcheck.RuleID, path, found string) {
		f := rule.Finding(crdcheck.Write)
		f.Cluster, f.CRD, f.Version, f.Object, f.Path, f.New = cluster, crd, version, object, path, found
		all = append(all, f)
	}
	for _, path := range slices.Concat(v.Pruned, v.Unstored) {
		add(crdcheck.RuleObjectPruned, path, "")
	}
	for _, filled := range v.Defaulted {
		add(crdcheck.RuleObjectDefaulted, filled.Path, filled.Value)
	}
	for _, refusal := range v.Refused {
		add(crdcheck.RuleObjectRefused, refusal.Path, refusal.Message)
	}
	for _, path := range v.Unchecked {
		add(crdcheck.RuleObjectUnchecked, path, "")
	}
	if v.ConvertedTo != "" {
		add(crdcheck.RuleObjectUnchecked, "", "a webhook converts it to "+v.ConvertedTo+", the stored version")
		all[len(all)-1].Why = "what the server keeps of the object is known to the webhook alone"
	}
	for _, warning := range v.Warnings {
		add(crdcheck.RuleObjectWarned, "", warning)
	}
	return all
}
