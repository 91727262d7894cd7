package documents_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestFailuresAreTested: each row of the tables that say what happens names a test that there is.
func TestFailuresAreTested(t *testing.T) {
	tests := testNames(t)
	named := regexp.MustCompile("`(Test\\w+)` \\|$")
	for _, line := range strings.Split(read(t, "deploy/docs/failures.md"), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what dies") {
			continue
		}
		switch match := named.FindStringSubmatch(line); {
		case match == nil:
			t.Errorf("no test does this: %s", line)
		case !tests[match[1]]:
			t.Errorf("there is no %s", match[1])
		}
	}
	for _, match := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(read(t, "deploy/docs/limits.md"), -1) {
		if !tests[match[1]] {
			t.Errorf("deploy/docs/limits.md: there is no %s", match[1])
		}
	}
}
