package documents_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const (
	security = "deploy/docs/security.md"
	protocol = "deploy/docs/protocol.md"
)

// TestThreatsAreTested: each row of the threat model names a test, or a folder of tests, that is there.
func TestThreatsAreTested(t *testing.T) {
	tests := testNames(t)
	_, model, found := strings.Cut(read(t, security), "\n## Threats\n")
	model, _, ended := strings.Cut(model, "\n## ")
	if !found || !ended {
		t.Fatalf("%s has no section about threats, or nothing after it", security)
	}
	rows := 0
	for _, line := range strings.Split(model, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, " test |") || len(cells) < 3 {
			continue
		}
		rows++
		named := codeSpan.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(named) == 0 {
			t.Errorf("no test holds this: %s", line)
		}
		for _, match := range named {
			if there := tests[match[1]] || !isTestName(match[1]) && exists(match[1]); !there {
				t.Errorf("%s: there is no %s: %s", security, match[1], line)
			}
		}
	}
	if rows < 50 {
		t.Errorf("%d rows: the test looked at few", rows)
	}
}

var (
	modelStates = regexp.MustCompile(`States += ([0-9_]+)`)
	mutantName  = regexp.MustCompile(`(?m)^\t+"([A-Z]\w+)": +\{`)
)

// TestProtocolsFigures: the page about the protocol has the states of each model, which the models
// hold themselves to, and the names and the number of all mutants.
func TestProtocolsFigures(t *testing.T) {
	page, figures := read(t, protocol), 0
	for _, name := range []string{"operator/internal/custody/model_test.go", "operator/internal/custody/moves/moves_test.go"} {
		for _, match := range modelStates.FindAllStringSubmatch(read(t, name), -1) {
			figures++
			if figure := strings.ReplaceAll(match[1], "_", ","); !strings.Contains(page, figure) {
				t.Errorf("%s has a model of %s states, and %s does not say so", name, figure, protocol)
			}
		}
	}
	if figures != 5 {
		t.Errorf("%d figures were looked at, want 5", figures)
	}
	for _, name := range []string{"operator/internal/custody/model_mutants_test.go", "operator/internal/custody/moves/mutants_test.go"} {
		mutants := mutantName.FindAllStringSubmatch(read(t, name), -1)
		if len(mutants) < 19 || !strings.Contains(page, fmt.Sprintf("%d mutants", len(mutants))) {
			t.Errorf("%s has %d mutants, and %s does not say so", name, len(mutants), protocol)
		}
		for _, match := range mutants {
			if !strings.Contains(page, "`"+match[1]+"`") {
				t.Errorf("%s does not name the mutant %s of %s", protocol, match[1], name)
			}
		}
	}
}

// TestProtocolsTestsAreThere: each test that the page about the protocol names is there.
func TestProtocolsTestsAreThere(t *testing.T) {
	tests, named := testNames(t), 0
	for _, match := range codeSpan.FindAllStringSubmatch(fence.ReplaceAllString(read(t, protocol), ""), -1) {
		for _, word := range strings.Fields(match[1]) {
			if isTestName(word) {
				named++
				if !tests[word] {
					t.Errorf("%s: there is no %s", protocol, word)
				}
			}
		}
	}
	if named < 10 {
		t.Errorf("%d tests are named: the test looked at few", named)
	}
}

// isTestName reports whether a word is the name of a test or of a fuzz test.
func isTestName(word string) bool { return testName.MatchString(word) }

// testNames are the names of all tests and fuzz tests.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	for _, name := range files(t, "_test.go", 150) {
		for _, match := range testFunc.FindAllStringSubmatch(read(t, name), -1) {
			tests[match[1]] = true
		}
	}
	return tests
}
