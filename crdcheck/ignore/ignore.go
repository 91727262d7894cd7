package ignore

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// Entry says which findings are ignored, by whom and for how long. What is empty matches
// everything; at least one of Fingerprint, Rule, CRD and Path is set.
type Entry struct {
	// Fingerprint of one finding.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Rule is a rule's ID.
	Rule string `json:"rule,omitempty"`
	// CRD is a definition's name, Cluster a cluster's.
	CRD     string `json:"crd,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// Path is a path; with "..." at its end, all below it too.
	Path string `json:"path,omitempty"`
	// Owner is who answers for it.
	Owner string `json:"owner"`
	// Expires is the last day, "2026-12-31".
	Expires string `json:"expires"`
	// Reason is why.
	Reason string `json:"reason"`
}

type file struct {
	Ignores []Entry `json:"ignores"`
}

const day = "2006-01-02"

// Load reads an ignore file. The error is a *multierror.Error with everything that is wrong: a
// second document, unknown keys, an entry without owner, reason or a valid day, one that would match
// everything, one that names no rule.
func Load(stream io.Reader) ([]Entry, error) {
	content, err := crdcheck.OneDocument(stream)
	if err != nil {
		return nil, err
	}
	var f file
	if err := yaml.UnmarshalStrict(content, &f); err != nil {
		return nil, err
	}
	var failed *multierror.Error
	for i, e := range f.Ignores {
		if problem := e.problem(); problem != "" {
			failed = multierror.Append(failed, fmt.Errorf("ignores[%d]: %s", i, problem))
		}
	}
	return f.Ignores, failed.ErrorOrNil()
}

func (e Entry) problem() string {
	_, notDay := time.Parse(day, e.Expires)
	known := slices.ContainsFunc(crdcheck.Rules(), func(r crdcheck.Rule) bool { return string(r.ID) == e.Rule })
	switch {
	case e.Fingerprint+e.Rule+e.CRD+e.Path == "":
		return "matches everything: name a fingerprint, rule, crd or path"
	case e.Rule != "" && !known:
		return fmt.Sprintf("there is no rule %q", e.Rule)
	case strings.TrimSpace(e.Owner) == "":
		return "has no owner"
	case strings.TrimSpace(e.Reason) == "":
		return "has no reason"
	case notDay != nil:
		return fmt.Sprintf("expires %q is not a day like 2026-12-31", e.Expires)
	default:
		return ""
	}
}

// Ignored is a finding and the entry that it is ignored by.
type Ignored struct {
	crdcheck.Finding
	Entry Entry
}

// Apply returns the report without what the entries ignore, what that is, and notes for people:
// entries that are over on this day, which ignore nothing, and entries that nothing matched.
func Apply(report crdcheck.Report, entries []Entry, today time.Time) (crdcheck.Report, []Ignored, []string) {
	var (
		ignored []Ignored
		notes   []string
		used    = make([]bool, len(entries))
	)
	kept := report.Without(func(f crdcheck.Finding) bool {
		for i, e := range entries {
			if !e.matches(f) {
				continue
			}
			used[i] = true
			if e.over(today) {
				continue
			}
			ignored = append(ignored, Ignored{f, e})
			return true
		}
		return false
	})
	for i, e := range entries {
		switch {
		case e.over(today):
			notes = append(notes, fmt.Sprintf("ignores[%d] of %s is over since %s: %s", i, e.Owner, e.Expires, e.Reason))
		case !used[i]:
			notes = append(notes, fmt.Sprintf("ignores[%d] of %s matches nothing: %s", i, e.Owner, e.Reason))
		}
	}
	return kept, ignored, notes
}

func (e Entry) over(today time.Time) bool { return today.Format(day) > e.Expires }

func (e Entry) matches(f crdcheck.Finding) bool {
	return (e.Fingerprint == "" || e.Fingerprint == f.Fingerprint()) && (e.Rule == "" || e.Rule == string(f.Rule)) &&
		(e.CRD == "" || e.CRD == f.CRD) &&
		(e.Cluster == "" || e.Cluster == f.Cluster) &&
		(e.Path == "" || within(f.Path, e.Path))
}

func within(path, pattern string) bool {
	whole, all := strings.CutSuffix(pattern, "...")
	if path == whole {
		return true
	}
	rest, found := strings.CutPrefix(path, whole)
	return all && found && (whole == "" || strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "["))
}
