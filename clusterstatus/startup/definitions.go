package startup

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// namedFields is how many of the fields that differ are named: releases that are far apart differ
// in hundreds.
const namedFields = 5

// compared says whether a cluster has the definitions that the operator uses, and whether they are
// as in the first cluster.
func compared(config string, condition metav1.Condition, definitions []compatibility.Definition) []Result {
	if condition.Status == metav1.ConditionUnknown {
		return []Result{{
			Check: CRDCompatibility, Verdict: Unknown, Message: "CRD could not be read",
			Config: config, Reason: condition.Message,
		}}
	}
	var results []Result
	for _, each := range definitions {
		about := Result{Check: CRDCompatibility, Config: config, CRD: each.CRD, Baseline: each.Baseline}
		results = append(results, definition(about, each.Findings)...)
	}
	return results
}

// definition turns what was found about one definition into results: all fields that differ are one
// of them.
func definition(about Result, findings []crdcheck.Finding) []Result {
	var (
		results []Result
		fields  []crdcheck.Finding
	)
	for _, f := range findings {
		if f.Path != "" && f.Rule != crdcheck.RuleFieldMissing {
			fields = append(fields, f)
			continue
		}
		result := about
		result.Verdict, result.Message, result.Reason = verdictOf(f), messageOf(f), detail(f)
		result.Field = strings.ReplaceAll(f.Path, "|", " or ")
		results = append(results, result)
	}
	if len(fields) > 0 {
		about.Verdict, about.Message = Warn, messageOf(fields[0])
		about.Count, about.Reason = len(fields), nameFields(fields)
		results = append(results, about)
	}
	if len(results) == 0 {
		about.Message = "CRD matches the baseline"
		return []Result{about}
	}
	return results
}

func nameFields(findings []crdcheck.Finding) string {
	var named []string
	for _, f := range findings[:min(namedFields, len(findings))] {
		named = append(named, fmt.Sprintf("%s %s", verb(f.Rule), f.Path))
	}
	if more := len(findings) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(named, ", ")
}

func verb(rule crdcheck.RuleID) string {
	switch rule {
	case crdcheck.RuleFieldRemoved:
		return "lacks"
	case crdcheck.RuleFieldAdded, crdcheck.RuleRequiredFieldAdded:
		return "adds"
	default:
		return "changes"
	}
}
