package differential

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden file")

// TestFindings counts what is found in the corpus, by project and rule, everybody asked.
func TestFindings(t *testing.T) {
	counts, rules, all := map[string]int{}, map[string]int{}, 0
	for _, p := range pairs(t) {
		counts[fmt.Sprintf("%s: pairs", p.project)]++
		for _, f := range compare(p).Findings {
			counts[fmt.Sprintf("%s: %s", p.project, f.Rule)]++
			rules[string(f.Rule)]++
			all++
		}
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&text, "%s %d\n", name, counts[name])
	}
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		fmt.Fprintf(&text, "total: %s %d\n", rule, rules[rule])
	}
	fmt.Fprintf(&text, "total %d\n", all)
	const golden = "testdata/findings.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text.String(), "\n")); diff != "" {
		t.Errorf("other findings in public definitions than before. Where that is meant, explain each line in review, "+
			"and write the file with -update; -want +got:\n%s", diff)
	}
}
