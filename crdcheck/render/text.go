package render

import (
	"bytes"
	"fmt"
	"io"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// The marks that lines begin with.
const (
	// Good marks a subject without findings.
	Good = "✅"
	// Warning marks a finding, and a subject that is not known.
	Warning = "⚠️"
)

// perSubject is how many findings of one CRD in one cluster are spelled out: releases that are far
// apart differ in hundreds of places.
const perSubject = 10

// Text writes a line for each subject that is as it should be and for each finding, the first ten
// of a subject; then how many more there are. Errors are those of w.
func Text(w io.Writer, report crdcheck.Report) error {
	var text bytes.Buffer
	for _, subject := range report.Subjects {
		Document{}.writeSubject(&text, subject, report.About(subject), perSubject, false)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// Colored writes a document as Text does, but every finding, then what is ignored and the notes,
// and last how many there are of each severity. colors are those of a terminal.
func Colored(w io.Writer, d Document, colors bool) error {
	var text bytes.Buffer
	for _, subject := range d.Report.Subjects {
		d.writeSubject(&text, subject, d.Report.About(subject), len(d.Report.Findings), colors)
	}
	for _, i := range d.GroupsOfIgnored() {
		fmt.Fprintf(
			&text, "%s %s: %s (ignored by %s until %s: %s)\n", Good, Where(i.Finding), Sentence(i.Finding), i.Owner, i.Expires,
			i.Reason,
		)
		if more := also(i.Group); more != "" {
			fmt.Fprintf(&text, "   %s\n", more)
		}
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&text, "%s %s\n", Warning, note)
	}
	for _, what := range d.PassedOver {
		fmt.Fprintf(&text, "%s: %s\n", passedOver, what)
	}
	fmt.Fprintf(&text, "%s\n", summary(d.Report))
	_, err := w.Write(text.Bytes())
	return err
}

func (d Document) writeSubject(
	text *bytes.Buffer, subject crdcheck.Subject, findings []crdcheck.Finding, most int, colors bool,
) {
	good, shown := true, 0
	for i, f := range crdcheck.Groups(findings) {
		good = good && f.Severity() <= crdcheck.Info
		if i < most {
			shown += 1 + len(f.Also)
			line := fmt.Sprintf(
				"%s %s: %s (%s, %s %s%s)", Mark(f.Finding), title(subject), Sentence(f.Finding), f.Severity(), f.Rule,
				f.Fingerprint(), d.place(f.Finding),
			)
			fmt.Fprintln(text, paint(line, f.Severity(), colors))
			if more := also(f); more != "" {
				fmt.Fprintf(text, "   %s\n", more)
			}
		}
	}
	if more := len(findings) - shown; more > 0 {
		fmt.Fprintf(text, "%s %s: and %d more\n", Warning, title(subject), more)
	}
	if good {
		fmt.Fprintf(text, "%s %s: %s\n", Good, title(subject), praise(subject, len(findings)))
	}
}

// place is where the object of a finding was read: ", objects/w.yaml:3". A definition is found by
// its name.
func (d Document) place(f crdcheck.Finding) string {
	at, found := d.Position(f)
	if !found || f.Object == "" {
		return ""
	}
	return fmt.Sprintf(", %s:%d", at.File, at.Line)
}

// paint makes errors red, warnings yellow and what is unknown blue (ECMA-48, Select Graphic
// Rendition).
func paint(line string, severity crdcheck.Severity, colors bool) string {
	code := map[crdcheck.Severity]string{crdcheck.Error: "31", crdcheck.Warning: "33", crdcheck.Unsettled: "34"}[severity]
	if !colors || code == "" {
		return line
	}
	return "\x1b[" + code + "m" + line + "\x1b[0m"
}

// Mark returns the mark of a finding.
func Mark(f crdcheck.Finding) string {
	if f.Severity() <= crdcheck.Info {
		return Good
	}
	return Warning
}

func title(s crdcheck.Subject) string {
	if s.Object != "" {
		return fmt.Sprintf("%s of %s in %s", s.Object, s.CRD, s.Cluster)
	}
	if s.Version == "" {
		return fmt.Sprintf("%s in %s", s.CRD, s.Cluster)
	}
	return fmt.Sprintf("%s %s in %s", s.CRD, s.Version, s.Cluster)
}

func praise(s crdcheck.Subject, harmless int) string {
	switch {
	case s.Object != "":
		return "would be accepted and kept"
	case s.Baseline == "":
		return "has every expected field"
	case s.Baseline == s.Cluster:
		return "is the baseline"
	case harmless > 0:
		return "breaks nothing of " + s.Baseline
	default:
		return "is as in " + s.Baseline
	}
}
