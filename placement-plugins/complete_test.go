package plugins_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEachProgramIsListed holds every list of strategies to the folders of cmd.
func TestEachProgramIsListed(t *testing.T) {
	mains, err := filepath.Glob("cmd/placement-*/main.go")
	if err != nil || len(mains) < len(strategies) {
		t.Fatalf("programs: %v, %v", mains, err)
	}
	run := map[string]bool{}
	for _, strategy := range slices.Concat(strategies, others) {
		run["placement-"+strategy.Name()] = true
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string]bool{}
	for _, main := range mains {
		if _, err := os.ReadFile(main); err != nil { // so that a change of it is not answered from the cache
			t.Fatal(err)
		}
		program := filepath.Base(filepath.Dir(main))
		programs[program] = true
		if !strings.Contains(string(readme), "\n| `"+program+"` |") {
			t.Errorf("README.md has no row for %s", program)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(programs)), slices.Sorted(maps.Keys(run))); diff != "" {
		t.Errorf("strategies and others of main_test.go are not the programs of cmd: -cmd +main_test.go:\n%s", diff)
	}
}
