package testkit_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const prefix = "github.com/vitistack/kubevirt-multicluster/"

// TestImports holds that testkit knows the API alone: it must be able to test every other module of
// the workspace, and two modules that import each other's tests can never be released.
func TestImports(t *testing.T) {
	packages := list(t, "-deps", "-test", "-f", "{{.ImportPath}}", "./...")
	if !slices.Contains(packages, prefix+"testkit/fleet") || !slices.Contains(packages, prefix+"api/rbac") {
		t.Fatalf("go list named %d packages and not ours: the test looked at nothing", len(packages))
	}
	for _, path := range packages {
		if strings.HasPrefix(path, prefix) && !within(path, prefix+"testkit") && !within(path, prefix+"api") {
			t.Errorf("testkit depends on %s", path)
		}
	}
}

// TestProgramsStayApart holds that what testkit runs as processes is not in what it is compiled
// from: Kubernetes and KubeVirt as modules would drag every dependency of the workspace to their
// versions.
func TestProgramsStayApart(t *testing.T) {
	programs, err := filepath.Glob("programs/*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if len(programs) != 3 {
		t.Fatalf("modules of programs: %v, want kubernetes, kubevirt and released", programs)
	}
	used := workspace(t)
	for _, program := range programs {
		if dir := filepath.Dir(program); slices.Contains(used, "./testkit/"+filepath.ToSlash(dir)) {
			t.Errorf("%s is in go.work", dir)
		}
	}
	for _, module := range list(t, "-m", "-f", "{{.Path}}", "all") {
		if module == "k8s.io/kubernetes" || module == "kubevirt.io/kubevirt" {
			t.Errorf("%s is among the modules", module)
		}
	}
}

// TestDependenciesAreExplained holds that nobody adds a direct dependency without a line on what it
// is for.
func TestDependenciesAreExplained(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range list(t, "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all") {
		if module != "" && !strings.HasPrefix(module, prefix) && !strings.Contains(string(readme), module) {
			t.Errorf("README.md does not say what %s is for", module)
		}
	}
}

// workspace returns the folders that go.work uses.
func workspace(t *testing.T) []string {
	t.Helper()
	content, err := exec.CommandContext(t.Context(), "go", "work", "edit", "-json", "../go.work").Output()
	if err != nil {
		t.Fatalf("go work edit: %v", err)
	}
	var file struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, use := range file.Use {
		used = append(used, use.DiskPath)
	}
	if !slices.Contains(used, "./testkit") {
		t.Fatalf("go.work uses %v and not testkit: the test looked at nothing", used)
	}
	return used
}

func within(path, root string) bool {
	path, _, _ = strings.Cut(path, " ") // "path [path.test]" is a package as its own tests see it
	return path == root || strings.HasPrefix(path, root+"/") || path == root+".test" || path == root+"_test"
}

// list returns the lines that go list prints, outside the workspace: the modules are those of this
// one.
func list(t *testing.T, args ...string) []string {
	t.Helper()
	// go test does not see what go list reads and would keep an old verdict; folders that the test
	// itself reads make it look again.
	if err := filepath.WalkDir(".", func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	command.Env = append(os.Environ(), "GOWORK=off")
	var message strings.Builder
	command.Stderr = &message
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list %s: %v: %s", strings.Join(args, " "), err, message.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
