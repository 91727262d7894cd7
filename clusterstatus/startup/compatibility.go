package startup

import (
	"context"
	"fmt"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// namedFields is how many of the fields that differ are named: releases that are far apart differ in hundreds.
const namedFields = 5

// checkCompatibility compares KubeVirt's CRDs of all clusters.
func (c *Checks) checkCompatibility(ctx context.Context, answers []answer) []Result {
	var results []Result
	for _, name := range comparedCRDs() {
		var snapshots []crdcheck.Snapshot
		for _, a := range answers {
			snapshots = append(snapshots, a.snapshots[name])
		}
		report := crdcheck.Fleet(snapshots, []string{name})
		for _, subject := range report.Subjects {
			results = append(results, compared(subject, report.About(subject))...)
		}
	}
	return c.tell(ctx, results...)
}

// compared turns what was found about one CRD of one cluster into results: all fields that differ are one of them.
func compared(subject crdcheck.Subject, findings []crdcheck.Finding) []Result {
	about := Result{Check: CRDCompatibility, Config: subject.Cluster, CRD: subject.CRD, Baseline: subject.Baseline}
	var (
		results []Result
		fields  []crdcheck.Finding
	)
	for _, f := range findings {
		switch {
		case f.Severity() == crdcheck.Info:
		case f.Path != "":
			fields = append(fields, f)
		default:
			result := about
			result.Verdict, result.Message, result.Reason = verdictOf(f), messageOf(f), detail(f)
			results = append(results, result)
		}
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
