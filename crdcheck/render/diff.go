package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

const (
	// perDifference is how many findings of one difference Diff spells out.
	perDifference = 3
	// namedClusters is how many clusters with the same difference Diff names.
	namedClusters = 5
	// perScreen is how many lines Diff writes before it counts what is left.
	perScreen = 40
)

// Changed is when a definition was last changed in its cluster.
type Changed struct {
	// At is in UTC, as in RFC 3339: "2026-11-30T10:00:00Z".
	At string
	// Age is how long ago that was, for people: "28d".
	Age string
	// By is the field manager that made the change, "" where it is not known.
	By string
}

// Diff writes the answer to "fleet" so that a person reads it in one screen: which clusters differ
// from the baseline, in what, and since when. Definitions that agree are counted, clusters with the
// same difference are told together, and past 40 lines what is left is counted. A difference is as
// old as the later of the two changes that made it; without both times it has no age. Errors are
// those of w.
func Diff(w io.Writer, d Document, colors bool) error {
	view := diffView{Document: d, colors: colors}
	view.read()
	var text bytes.Buffer
	fmt.Fprintln(&text, view.headline())
	shown := 0
	for i, block := range view.blocks {
		if shown > 0 && shown+len(block) > perScreen {
			fmt.Fprintf(&text, "and %s: name one with --crd, or see all with crdcheck fleet\n",
				counted(len(view.blocks)-i, "more definition differs", "more definitions differ"))
			break
		}
		shown += len(block)
		for _, line := range block {
			fmt.Fprintln(&text, line)
		}
	}
	for _, unknown := range view.unknown {
		fmt.Fprintln(&text, paint(unknown, crdcheck.Unsettled, colors))
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&text, "%s %s\n", Warning, note)
	}
	if len(d.Ignored) > 0 {
		fmt.Fprintf(&text, "%s ignored\n", counted(len(d.Ignored), "finding is", "findings are"))
	}
	_, err := w.Write(text.Bytes())
	return err
}

type diffView struct {
	Document
	colors bool

	clusters, definitions map[string]bool
	differing             map[string]bool // clusters
	blocks                [][]string      // a definition's lines
	unknown               []string
}

// shared is what some clusters have in common.
type shared struct {
	findings []crdcheck.Finding
	subjects []crdcheck.Subject
}

func (v *diffView) read() {
	v.clusters, v.definitions, v.differing = map[string]bool{}, map[string]bool{}, map[string]bool{}
	unread := map[string]bool{}
	byCRD := map[string][]*shared{}
	for _, subject := range v.Report.Subjects {
		v.clusters[subject.Cluster], v.definitions[subject.CRD] = true, true
		findings := v.Report.About(subject)
		switch {
		case len(findings) == 0:
			continue
		case findings[0].Rule == crdcheck.RuleClusterUnknown:
			if !unread[subject.Cluster] {
				unread[subject.Cluster] = true
				v.unknown = append(v.unknown, subject.Cluster+" "+Sentence(findings[0]))
			}
			continue
		}
		v.differing[subject.Cluster] = true
		same := slices.IndexFunc(byCRD[subject.CRD], func(d *shared) bool { return equalFindings(d.findings, findings) })
		if same < 0 {
			same = len(byCRD[subject.CRD])
			byCRD[subject.CRD] = append(byCRD[subject.CRD], &shared{findings: findings})
		}
		byCRD[subject.CRD][same].subjects = append(byCRD[subject.CRD][same].subjects, subject)
	}
	for name := range v.definitions {
		if differences := byCRD[name]; differences != nil {
			v.blocks = append(v.blocks, v.block(name, differences))
		}
	}
	slices.SortFunc(v.blocks, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	slices.Sort(v.unknown)
}

func equalFindings(a, b []crdcheck.Finding) bool {
	return slices.EqualFunc(a, b, func(x, y crdcheck.Finding) bool { return x.Fingerprint() == y.Fingerprint() })
}

func (v *diffView) headline() string {
	line := fmt.Sprintf("%s, %s: ",
		plural(len(v.clusters), "cluster"), plural(len(v.definitions), "definition"))
	switch {
	case len(v.differing) == 0 && len(v.unknown) == 0:
		return Good + " " + line + "all agree"
	case len(v.differing) == 0:
		line += "those that could be read agree"
	default:
		line += fmt.Sprintf("%s in %s", counted(len(v.differing), "cluster differs", "clusters differ"),
			plural(len(v.blocks), "definition"))
	}
	if len(v.unknown) > 0 {
		line += fmt.Sprintf(", %d could not be read", len(v.unknown))
	}
	return Warning + " " + line
}

// block is what is told of one definition.
func (v *diffView) block(name string, differences []*shared) []string {
	lines := []string{fmt.Sprintf("%s, compared with %s", name, differences[0].subjects[0].Baseline)}
	for _, d := range differences {
		lines = append(lines, v.who(d)...)
		groups := crdcheck.Groups(d.findings)
		slices.SortStableFunc(groups, func(a, b crdcheck.Group) int { return cmp.Compare(b.Severity(), a.Severity()) })
		for i, g := range groups {
			if i == perDifference {
				lines = append(lines, fmt.Sprintf("      and %d more", len(groups)-i))
				break
			}
			line := fmt.Sprintf("      %s: %s", g.Severity(), Sentence(g.Finding))
			if len(g.Also) > 0 {
				line += fmt.Sprintf(" (and at %s)", plural(len(g.Also), "more path"))
			}
			lines = append(lines, paint(line, g.Severity(), v.colors))
		}
	}
	return lines
}

// who names the clusters of a difference, and since when each differs.
func (v *diffView) who(d *shared) []string {
	var lines []string
	for i, subject := range d.subjects {
		if i == namedClusters {
			lines = append(lines, fmt.Sprintf("   and %s", plural(len(d.subjects)-i, "more cluster")))
			break
		}
		lines = append(lines, "   "+subject.Cluster+v.since(subject))
	}
	return lines
}

// since says which change made a cluster differ, as far as anybody kept it.
func (v *diffView) since(s crdcheck.Subject) string {
	here, known := v.Changed[Place{Cluster: s.Cluster, CRD: s.CRD}]
	there, both := v.Changed[Place{Cluster: s.Baseline, CRD: s.CRD}]
	if !known || !both {
		return ""
	}
	last, where := here, "it"
	if there.At > here.At {
		last, where = there, s.Baseline
	}
	text := fmt.Sprintf(", since %s (%s ago)", strings.Replace(last.At, "T", " ", 1), last.Age)
	if last.By != "" {
		text += fmt.Sprintf(", when %s changed %s", last.By, where)
	}
	return text
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
