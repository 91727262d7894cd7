package crdcheck_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestRulesAreDocumented compares the table in RULES.md, which `crdcheck rules -o markdown` writes,
// with Rules, which is sorted.
func TestRulesAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want, ids []string
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) >= 7 && strings.HasPrefix(strings.TrimSpace(cells[0]), "`") {
			got = append(
				got,
				fmt.Sprintf("%s %s: %s", strings.Trim(cells[0], " `"), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])),
			)
		}
	}
	for _, rule := range crdcheck.Rules() {
		want = append(want, fmt.Sprintf("%s %s: %s", rule.ID, rule.Effect, rule.Why))
		ids = append(ids, string(rule.ID))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("RULES.md: -want +got:\n%s", diff)
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != len(want) {
		t.Errorf("Rules() is not sorted, or has one twice: %v", ids)
	}
}
