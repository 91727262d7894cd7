package deploy

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	repository = "github.com/vitistack/kubevirt-multicluster/"
	module     = repository + "deploy"
)

// house says what each package of this module may import beside the standard library, its tests
// apart.
var house = map[string][]string{
	"":                {},
	"/cmd/chart":      {"github.com/spf13/cobra", module + "/internal/chart"},
	"/cmd/image":      {"github.com/spf13/cobra", module + "/internal/image"},
	"/cmd/release":    {"github.com/spf13/cobra", module + "/internal/plan", module + "/internal/release"},
	"/internal/chart": {"helm.sh/helm/v4"},
	"/internal/image": {"github.com/google/go-containerregistry", "golang.org/x/crypto/x509roots/fallback/bundle",
		module + "/internal/materials"},
	"/internal/installation": {},
	"/internal/materials":    {"github.com/spdx/tools-golang"},
	"/internal/node": {"github.com/google/go-containerregistry", "k8s.io/api", "k8s.io/apimachinery",
		"sigs.k8s.io/controller-runtime/pkg/client", module + "/internal/pod", repository + "testkit/controlplane"},
	"/internal/plan": {"golang.org/x/exp/apidiff", "golang.org/x/mod", "golang.org/x/tools/go/packages",
		"sigs.k8s.io/yaml"},
	"/internal/pod": {"github.com/google/go-containerregistry", "golang.org/x/sys/unix"},
	"/internal/release": {"sigs.k8s.io/kustomize/api/krusty", "sigs.k8s.io/kustomize/kyaml/filesys", "sigs.k8s.io/yaml",
		module + "/internal/chart", module + "/internal/materials", module + "/internal/plan", module + "/internal/schemas"},
	"/internal/schemas":   {"sigs.k8s.io/yaml"},
	"/internal/walk":      {},
	"/internal/workflows": {},
}

// TestImports: what writes the chart and the image builds on few modules, and on none of ours.
func TestImports(t *testing.T) {
	seen := 0
	for _, line := range list(t, `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...") {
		fields := strings.Fields(line)
		allowed, known := house[strings.TrimPrefix(fields[0], module)]
		if !known {
			t.Errorf("%s is not in the list of this test", fields[0])
		}
		seen++
		for _, path := range fields[1:] {
			host, _, _ := strings.Cut(path, "/")
			if strings.Contains(host, ".") && !slices.ContainsFunc(allowed, func(root string) bool { return within(path, root) }) {
				t.Errorf("%s imports %s", fields[0], path)
			}
		}
	}
	if seen != len(house) {
		t.Errorf("%d packages, want %d", seen, len(house))
	}
}

// TestTestsKnowTheAPIAlone: what is installed is a program. Its tests meet it as a process.
func TestTestsKnowTheAPIAlone(t *testing.T) {
	imported := list(t, `{{range .TestImports}}{{.}} {{end}}{{range .XTestImports}}{{.}} {{end}}`, "./...")
	paths := strings.Fields(strings.Join(imported, " "))
	if len(paths) < 40 {
		t.Fatalf("%d imports: the test looked at nothing", len(paths))
	}
	for _, path := range paths {
		if within(path, strings.TrimSuffix(repository, "/")) && !within(path, module) &&
			!within(path, repository+"api") && !within(path, repository+"testkit") {
			t.Errorf("a test imports %s", path)
		}
	}
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// list are the lines that go list prints.
func list(t *testing.T, format string, packages ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", format}, packages...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
