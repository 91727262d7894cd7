package crdcheck

import (
	"cmp"
	"slices"
)

// Report is the answer to a question.
type Report struct {
	// Subjects are what was looked at, sorted by CRD and cluster.
	Subjects []Subject
	// Findings are sorted by CRD, cluster, version, path and rule. Each belongs to a Subject.
	Findings []Finding
}

// Subject is one CRD of one cluster.
type Subject struct {
	// CRD is the definition's name, Cluster the snapshot's.
	CRD, Cluster string
	// Version that is required; "" in a Report of Fleet.
	Version string
	// Object is what package admit looked at; "" in other reports.
	Object string
	// Baseline is the cluster that this one was compared with, its own name where it is the
	// baseline itself; "" in a Report of Require, and where no cluster could serve as one.
	Baseline string
}

// OK reports whether nothing was found that is worse than Info.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity() > Info })
}

// About returns the findings of one subject, in their order.
func (r Report) About(s Subject) []Finding {
	var about []Finding
	for _, f := range r.Findings {
		if f.CRD == s.CRD && f.Cluster == s.Cluster && f.Object == s.Object &&
			(s.Version == "" || f.Version == "" || f.Version == s.Version) {
			about = append(about, f)
		}
	}
	return about
}

// NewReport returns a report with its subjects and findings in their order, each once.
func NewReport(subjects []Subject, findings []Finding) Report {
	return newReport(slices.Clone(subjects), slices.Clone(findings))
}

// Without returns the report without the findings that a function names.
func (r Report) Without(drop func(Finding) bool) Report {
	return Report{Subjects: r.Subjects, Findings: slices.DeleteFunc(slices.Clone(r.Findings), drop)}
}

// Counts returns how many findings of each severity there are.
func (r Report) Counts() map[Severity]int {
	counts := map[Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity()]++
	}
	return counts
}

func newReport(subjects []Subject, findings []Finding) Report {
	slices.SortFunc(subjects, func(a, b Subject) int {
		return cmp.Or(
			cmp.Compare(a.CRD, b.CRD), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Object, b.Object),
		)
	})
	return Report{Subjects: slices.Compact(subjects), Findings: sorted(findings)}
}

// Group is a finding, and the same one at other paths: a schema that stands below many fields
// changes once.
type Group struct {
	Finding

	// Also are the findings that differ from the first in their paths alone, in their order. Paths
	// of one group end in the same field.
	Also []Finding
}

// Groups returns findings group by group, in the order of the groups' first findings.
func Groups(findings []Finding) []Group {
	at := make(map[Finding]int, len(findings))
	groups := make([]Group, 0, len(findings))
	for _, f := range findings {
		key := f
		if name := lastName(f.Path); name != "" {
			key.Path = "..." + name
		}
		first, found := at[key]
		if found {
			groups[first].Also = append(groups[first].Also, f)
			continue
		}
		at[key] = len(groups)
		groups = append(groups, Group{Finding: f})
	}
	return groups
}
