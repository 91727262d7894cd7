package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/vitistack/kubevirt-multicluster/"

// pure are packages that take values and give values, and what they must not import.
var pure = map[string][]string{
	"operator/internal/desired":  {"net/http", "os/exec", "k8s.io/client-go", "sigs.k8s.io/controller-runtime", "github.com/go-logr/logr", "k8s.io/utils/clock"},
	"operator/internal/observed": {"net/http", "os/exec", "k8s.io/client-go", "sigs.k8s.io/controller-runtime", "github.com/go-logr/logr", "k8s.io/utils/clock"},
}

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

// TestPurePackages looks at what the pure packages import themselves: a package of types may well know a client further down.
func TestPurePackages(t *testing.T) {
	for name, forbidden := range pure {
		imports := list(t, "-f", `{{join .Imports "\n"}}`, module+name)
		if len(imports) < 5 {
			t.Fatalf("%s imports only %v: the test looks at nothing", name, imports)
		}
		for _, path := range imports {
			for _, root := range append([]string{"os", "math/rand", "math/rand/v2", "crypto/rand"}, forbidden...) {
				if within(path, root) {
					t.Errorf("%s imports %s", name, path)
				}
			}
		}
	}
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
