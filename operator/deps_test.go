package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/vitistack/kubevirt-multicluster/"

func list(t *testing.T, arguments ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	return strings.Fields(string(out))
}

// TestDependencies: strategies are processes of their own, and nothing of the test kit is in the binary.
func TestDependencies(t *testing.T) {
	packages := list(t, "-deps", ".")
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed: the test looks at nothing", len(packages))
	}
	for _, name := range packages {
		for _, forbidden := range []string{"placement-plugins", "testkit"} {
			if within(name, module+forbidden) {
				t.Errorf("the operator imports %s", name)
			}
		}
	}
	for _, name := range list(t, "-deps", "-test", "./...") {
		if within(name, module+"placement-plugins") {
			t.Errorf("a test of the operator imports %s", name)
		}
	}
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
