package render

import (
	"bytes"
	"fmt"
	"io"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// The marks that lines begin with.
const (
	// Good is on what is as it should be.
	Good = "✅"
	// Warning is on what is not, or is not known.
	Warning = "⚠️"
)

// perSubject is how many findings of one CRD in one cluster are spelled out: releases that are far apart differ in hundreds of places.
const perSubject = 10

// Text writes a line for each subject that is as it should be and for each finding, the first ten of a subject; then how many more
// there are. Errors are those of w.
func Text(w io.Writer, report crdcheck.Report) error {
	var text bytes.Buffer
	for _, subject := range report.Subjects {
		writeSubject(&text, subject, report.About(subject))
	}
	_, err := w.Write(text.Bytes())
	return err
}

func writeSubject(text *bytes.Buffer, subject crdcheck.Subject, findings []crdcheck.Finding) {
	good := true
	for i, f := range findings {
		good = good && f.Severity() <= crdcheck.Info
		if i < perSubject {
			fmt.Fprintf(text, "%s %s: %s (%s, %s %s)\n", Mark(f), title(subject), Sentence(f), f.Severity(), f.Rule, f.Fingerprint())
		}
	}
	if more := len(findings) - perSubject; more > 0 {
		fmt.Fprintf(text, "%s %s: and %d more\n", Warning, title(subject), more)
	}
	if good {
		fmt.Fprintf(text, "%s %s: %s\n", Good, title(subject), praise(subject, len(findings)))
	}
}

// Mark returns the mark of a finding.
func Mark(f crdcheck.Finding) string {
	if f.Severity() <= crdcheck.Info {
		return Good
	}
	return Warning
}

func title(s crdcheck.Subject) string {
	if s.Version == "" {
		return fmt.Sprintf("%s in %s", s.CRD, s.Cluster)
	}
	return fmt.Sprintf("%s %s in %s", s.CRD, s.Version, s.Cluster)
}

func praise(s crdcheck.Subject, harmless int) string {
	switch {
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
