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
	File    string       `xml:"file,attr,omitempty"`
	Line    int          `xml:"line,attr,omitempty"`
	Failure *junitResult `xml:"failure"`
	Error   *junitResult `xml:"error"`
	Skipped *junitResult `xml:"skipped"`
}

type junitResult struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the document as test results: a case for each subject without
// findings and for each finding, with all its paths; what
// is unknown is an error, what is ignored is skipped, what is harmless passes. Errors are those of
// w.
func JUnit(w io.Writer, d Document) error {
	var all junitSuites
	for _, subject := range d.Report.Subjects {
		suite := junitSuite{Name: title(subject)}
		findings := d.Report.About(subject)
		if len(findings) == 0 {
			at := d.At[PlaceOf(subject)]
			suite.add(junitCase{Name: praise(subject, 0), Class: subject.CRD, File: at.File, Line: at.Line})
		}
		for _, group := range crdcheck.Groups(findings) {
			suite.add(d.junitOf(group))
		}
		for _, i := range d.GroupsOfIgnored() {
			if of(subject, i.Finding) {
				c := d.junitOf(i.Group)
				c.Failure, c.Error = nil, nil
				c.Skipped = &junitResult{
					Message: fmt.Sprintf("%s, until %s: %s", i.Owner, i.Expires, i.Reason), Text: pathLines(i.Group),
				}
				suite.add(c)
			}
		}
		all.add(suite)
	}
	if len(d.PassedOver) > 0 {
		suite := junitSuite{Name: passedOver}
		for _, what := range d.PassedOver {
			suite.add(junitCase{Name: what, Class: passedOver, Skipped: &junitResult{Message: passedOver}})
		}
		all.add(suite)
	}
	encoded, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, xml.Header+string(encoded)+"\n")
	return err
}

// passedOver is what was done with what was not looked at.
const passedOver = "passed over"

func (s *junitSuites) add(suite junitSuite) {
	s.Tests, s.Failures = s.Tests+suite.Tests, s.Failures+suite.Failures
	s.Errors, s.Skipped = s.Errors+suite.Errors, s.Skipped+suite.Skipped
	s.Suites = append(s.Suites, suite)
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

// junitOf is one case for a group of findings.
func (d Document) junitOf(group crdcheck.Group) junitCase {
	f := group.Finding
	at, _ := d.Position(f)
	c := junitCase{Name: caseName(f), Class: f.CRD, File: at.File, Line: at.Line}
	result := &junitResult{Type: string(f.Rule), Message: Sentence(f), Text: f.Why + pathLines(group)}
	switch f.Severity() {
	case crdcheck.Info:
	case crdcheck.Unsettled:
		c.Error = result
	default:
		c.Failure = result
	}
	return c
}

// pathLines has a line for each other path of a group, with its fingerprint; "" where there is none.
func pathLines(group crdcheck.Group) string {
	if len(group.Also) == 0 {
		return ""
	}
	text := fmt.Sprintf("\nthe same at %s:", plural(len(group.Also), "more path"))
	for _, other := range group.Also {
		text += fmt.Sprintf("\n%s %s", other.Path, other.Fingerprint())
	}
	return text
}

// GitHub writes a line for each finding, with all its paths, that GitHub Actions shows at the file,
// where there is one.
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
	for _, group := range crdcheck.Groups(d.Report.Findings) {
		f := group.Finding
		properties := "title=" + property.Replace(fmt.Sprintf("crdcheck %s %s", f.Rule, f.Fingerprint()))
		if at, found := d.Position(f); found {
			properties = fmt.Sprintf("file=%s,line=%d,%s", property.Replace(at.File), at.Line, properties)
		}
		fmt.Fprintf(
			&text, "::%s %s::%s\n", levels[f.Severity()], properties,
			message.Replace(Message(group)),
		)
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&text, "::warning title=crdcheck::%s\n", message.Replace(note))
	}
	for _, what := range d.PassedOver {
		fmt.Fprintf(&text, "::notice title=crdcheck::%s: %s\n", passedOver, message.Replace(what))
	}
	_, err := w.Write(text.Bytes())
	return err
}
