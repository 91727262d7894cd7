package documents_test

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

const invariants = "docs/invariants.md"

var (
	citation  = regexp.MustCompile(`\bI[1-9][0-9]?\b`)
	invariant = regexp.MustCompile(`(?m)^## (I[1-9][0-9]?): `)
	testName  = regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w+$`)
	testFunc  = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// TestCitedInvariantsAreThere fails where code or a document cites an invariant that
// docs/invariants.md does not explain.
func TestCitedInvariantsAreThere(t *testing.T) {
	known := map[string]bool{}
	for _, match := range invariant.FindAllStringSubmatch(read(t, invariants), -1) {
		known[match[1]] = true
	}
	cited := 0
	for _, name := range files(t, ".go", 300) {
		for _, text := range prose(read(t, name)) {
			for _, number := range citation.FindAllString(text, -1) {
				cited++
				if !known[number] {
					t.Errorf("%s cites %s, which %s does not explain", name, number, invariants)
				}
			}
		}
	}
	if cited == 0 {
		t.Error("no code cites an invariant: the test looked at nothing")
	}
	for _, number := range citation.FindAllString(read(t, invariants)+read(t, "docs/specification.md"), -1) {
		if !known[number] {
			t.Errorf("the documents cite %s, which %s does not explain", number, invariants)
		}
	}
}

// prose returns the comments and string literals of Go code.
func prose(code string) []string {
	var texts []string
	var s scanner.Scanner
	fset := token.NewFileSet()
	s.Init(fset.AddFile("", fset.Base(), len(code)), []byte(code), nil, scanner.ScanComments)
	for {
		_, kind, literal := s.Scan()
		switch kind {
		case token.EOF:
			return texts
		case token.COMMENT, token.STRING:
			texts = append(texts, literal)
		}
	}
}

// TestInvariantsAreTested fails for an invariant without a check and tests, and for one that names
// a test or folder that is gone.
func TestInvariantsAreTested(t *testing.T) {
	tests := testNames(t)
	sections := strings.Split(read(t, invariants), "\n## ")[1:]
	if len(sections) < 16 {
		t.Fatalf("%s has %d sections, want 16", invariants, len(sections))
	}
	for _, section := range sections {
		title, _, _ := strings.Cut(section, "\n")
		_, named, found := strings.Cut(section, "\n- **Tests**: ")
		if !found || !strings.Contains(section, "\n- **Check**: ") {
			t.Errorf("%s: says not both what to check and which tests try to break it", title)
		}
		for _, match := range codeSpan.FindAllStringSubmatch(named, -1) {
			if there := tests[match[1]] || !testName.MatchString(match[1]) && exists(match[1]); !there {
				t.Errorf("%s: %s is not there", title, match[1])
			}
		}
	}
}
