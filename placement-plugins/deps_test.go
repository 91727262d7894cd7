package plugins_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies holds the import rules: a strategy is the standard library and the contract;
// nothing knows Kubernetes.
func TestDependencies(t *testing.T) {
	const modules = "github.com/vitistack/kubevirt-multicluster/"
	cases := map[string]struct {
		reason    string
		packages  []string
		forbidden func(dependency string) bool
	}{
		"each strategy": {
			reason:   "a pure strategy must have nothing that does I/O",
			packages: []string{"./annotation", "./default_", "./single", "./search", "./labels", "./spread", "./capacity"},
			forbidden: func(dependency string) bool {
				host, _, _ := strings.Cut(dependency, "/")
				return strings.Contains(host, ".") && dependency != modules+"placement" &&
					!strings.HasPrefix(dependency, modules+"placement-plugins/")
			},
		},
		"the whole module": {
			reason:   "a Kubernetes bump never rebuilds a plugin, and the operator meets it only as a process",
			packages: []string{"-test", "./..."},
			forbidden: func(dependency string) bool {
				ours, sibling := strings.CutPrefix(dependency, modules)
				return strings.HasPrefix(dependency, "k8s.io/") || strings.HasPrefix(dependency, "sigs.k8s.io/") ||
					strings.HasPrefix(dependency, "kubevirt.io/") || sibling && !strings.HasPrefix(ours, "placement")
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"list", "-deps"}, tc.packages...)
			out, err := exec.CommandContext(t.Context(), "go", args...).Output()
			if err != nil {
				t.Fatalf("go %s: %v", strings.Join(args, " "), err)
			}
			dependencies := strings.Fields(string(out))
			if len(dependencies) < 10 {
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
