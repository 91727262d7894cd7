package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Failure *junitResult `xml:"failure"`
	Error   *junitResult `xml:"error"`
	Skipped *junitResult `xml:"skipped"`
}

type junitResult struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the document as test results: a case for each subject and each finding in it; what
// is unknown is an error, what is ignored is skipped, what is harmless passes. Errors are those of
// w.
func JUnit(w io.Writer, d Document) error {
	var all junitSuites
	for _, subject := range d.Report.Subjects {
		suite := junitSuite{Name: title(subject)}
		findings := d.Report.About(subject)
		if len(findings) == 0 {
			suite.add(junitCase{Name: praise(subject, 0), Class: subject.CRD})
		}
		for _, f := range findings {
			suite.add(junitOf(f))
		}
		for _, i := range d.Ignored {
			if of(subject, i.Finding) {
				c := junitCase{
					Name:    caseName(i.Finding),
					Class:   i.CRD,
					Skipped: &junitResult{Message: fmt.Sprintf("%s, until %s: %s", i.Owner, i.Expires, i.Reason)},
				}
				suite.add(c)
			}
		}
		all.Tests, all.Failures = all.Tests+suite.Tests, all.Failures+suite.Failures
		all.Errors, all.Skipped = all.Errors+suite.Errors, all.Skipped+suite.Skipped
		all.Suites = append(all.Suites, suite)
	}
	encoded, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(encoded)+"\n")
	return err
}

func of(s crdcheck.Subject, f crdcheck.Finding) bool {
	return f.CRD == s.CRD && f.Cluster == s.Cluster && f.Object == s.Object &&
		(s.Version == "" || f.Version == "" || f.Version == s.Version)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func caseName(f crdcheck.Finding) string {
	return strings.Join(
		strings.Fields(strings.Join([]string{f.Version, f.Path, string(f.Rule), f.Fingerprint()}, " ")), " ",
	)
}

func junitOf(f crdcheck.Finding) junitCase {
	c := junitCase{Name: caseName(f), Class: f.CRD}
	result := &junitResult{Type: string(f.Rule), Message: Sentence(f), Text: f.Why}
	switch f.Severity() {
	case crdcheck.Info:
	case crdcheck.Unsettled:
		c.Error = result
	default:
		c.Failure = result
	}
	return c
}

// GitHub writes a line for each finding that GitHub Actions shows at the file, where there is one.
// Errors are those of w.
func GitHub(w io.Writer, d Document) error {
	var text bytes.Buffer
	levels := map[crdcheck.Severity]string{
		crdcheck.Error:     "error",
		crdcheck.Warning:   "warning",
		crdcheck.Unsettled: "warning",
		crdcheck.Info:      "notice",
	}
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, f := range d.Report.Findings {
		properties := "title=" + property.Replace(fmt.Sprintf("crdcheck %s %s", f.Rule, f.Fingerprint()))
		if at, found := d.at(f); found {
			properties = fmt.Sprintf("file=%s,line=%d,%s", property.Replace(at.File), at.Line, properties)
		}
		fmt.Fprintf(
			&text, "::%s %s::%s\n", levels[f.Severity()], properties,
			message.Replace(fmt.Sprintf("%s: %s: %s", where(f), Sentence(f), f.Why)),
		)
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&text, "::warning title=crdcheck::%s\n", message.Replace(note))
	}
	_, err := w.Write(text.Bytes())
	return err
}
