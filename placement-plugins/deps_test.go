package plugins_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDependencies holds the import rules: a strategy is the standard library and the contract;
// nothing knows Kubernetes.
func TestDependencies(t *testing.T) {
	const modules = "github.com/vitistack/kubevirt-multicluster/"
	pure := strategyPackages(t)
	cases := map[string]struct {
		reason    string
		packages  []string
		forbidden func(dependency string) bool
	}{
		"each strategy": {
			reason:   "a strategy depends on the contract and on nothing else that is not Go's own",
			packages: append([]string{"-deps"}, pure...),
			forbidden: func(dependency string) bool {
				host, _, _ := strings.Cut(dependency, "/")
				return strings.Contains(host, ".") && dependency != modules+"placement" &&
					!strings.HasPrefix(dependency, modules+"placement-plugins/")
			},
		},
		"what each strategy imports itself": {
			reason:   "a pure strategy does no I/O and reads no clock",
			packages: append([]string{"-f", `{{join .Imports "\n"}}`}, pure...),
			forbidden: func(dependency string) bool {
				switch top, _, _ := strings.Cut(dependency, "/"); top {
				case "os", "net", "time", "log", "syscall", "io":
					return true
				}
				return false
			},
		},
		"the whole module": {
			reason:   "a Kubernetes bump never rebuilds a plugin, and the operator meets it only as a process",
			packages: []string{"-deps", "-test", "./..."},
			forbidden: func(dependency string) bool {
				ours, sibling := strings.CutPrefix(dependency, modules)
				return strings.HasPrefix(dependency, "k8s.io/") || strings.HasPrefix(dependency, "sigs.k8s.io/") ||
					strings.HasPrefix(dependency, "kubevirt.io/") || sibling && !strings.HasPrefix(ours, "placement")
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"list"}, tc.packages...)
			out, err := exec.CommandContext(t.Context(), "go", args...).Output()
			if err != nil {
				t.Fatalf("go %s: %v", strings.Join(args, " "), err)
			}
			dependencies := strings.Fields(string(out))
			if len(dependencies) < 5 {
				t.Fatalf("go list named %d packages, too few to believe", len(dependencies))
			}
			for _, dependency := range dependencies {
				if tc.forbidden(dependency) {
					t.Errorf("\n%s\nforbidden dependency %s", tc.reason, dependency)
				}
			}
		})
	}
}

// strategyPackages returns the folder of each strategy: those that have Go files, which cmd and
// internal have not.
func strategyPackages(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, file := range files {
		folders = append(folders, "./"+filepath.Dir(file))
	}
	if folders = slices.Compact(folders); len(folders) < len(strategies)+len(others) {
		t.Fatalf("these are not all packages of strategies: %v", folders)
	}
	return folders
}

// TestPackageNames has a story: the package of the strategy "default", which is a word of Go's, was
// default_. Go's packages have names of small letters alone.
func TestPackageNames(t *testing.T) {
	for _, folder := range strategyPackages(t) {
		if name := filepath.Base(folder); strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%s: want a name of small letters", name)
		}
	}
}
