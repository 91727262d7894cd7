package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// also says where else a group's finding is: "the same at 2 more paths: spec.a, spec.b", or "" where
// it is at one path alone.
func also(g crdcheck.Group) string {
	if len(g.Also) == 0 {
		return ""
	}
	return fmt.Sprintf("the same at %s: %s", plural(len(g.Also), "more path"), strings.Join(paths(g.Also), ", "))
}

// Message is all that a group says in one line: where, what, why, and at which other paths.
func Message(g crdcheck.Group) string {
	text := fmt.Sprintf("%s: %s: %s", Where(g.Finding), Sentence(g.Finding), g.Why)
	if more := also(g); more != "" {
		text += "; " + more
	}
	return text
}

// paths of findings, in their order.
func paths(findings []crdcheck.Finding) []string {
	all := make([]string, len(findings))
	for i, f := range findings {
		all[i] = f.Path
	}
	return all
}

// IgnoredGroup is a group of findings that the same person answers for, in the same words.
type IgnoredGroup struct {
	crdcheck.Group
	// Owner, Expires and Reason are those of each finding of the group.
	Owner, Expires, Reason string
}

// GroupsOfIgnored returns the ignored findings group by group.
func (d Document) GroupsOfIgnored() []IgnoredGroup {
	type answer struct{ owner, expires, reason string }
	var (
		order []answer
		by    = map[answer][]crdcheck.Finding{}
		all   []IgnoredGroup
	)
	for _, i := range d.Ignored {
		a := answer{i.Owner, i.Expires, i.Reason}
		if !slices.Contains(order, a) {
			order = append(order, a)
		}
		by[a] = append(by[a], i.Finding)
	}
	for _, a := range order {
		for _, group := range crdcheck.Groups(by[a]) {
			all = append(all, IgnoredGroup{group, a.owner, a.expires, a.reason})
		}
	}
	return all
}

// summary counts for people what they see: findings, and their paths where a finding has several:
// "2 errors at 24 paths, 1 warning".
func summary(r crdcheck.Report) string {
	lines := map[crdcheck.Severity]int{}
	for _, group := range crdcheck.Groups(r.Findings) {
		lines[group.Severity()]++
	}
	counts := r.Counts()
	var parts []string
	for _, severity := range severities {
		n := lines[severity]
		if n == 0 {
			continue
		}
		text := plural(n, severity.String())
		if counts[severity] > n {
			text += fmt.Sprintf(" at %d paths", counts[severity])
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "nothing found"
	}
	return strings.Join(parts, ", ")
}
