package api_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/vitistack/kubevirt-multicluster/api"

// allowed reports whether packages of this module may import another: apimachinery and the core
// API, nothing else. Whoever uses these types must not get a client, a controller library or
// KubeVirt with them.
func allowed(path string) bool {
	return within(path, module) || within(path, "k8s.io/apimachinery") || path == "k8s.io/api/core/v1"
}

// allowedInTests is what tests may import beyond that.
var allowedInTests = []string{"github.com/google/go-cmp/cmp"}

func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// listed is as much of go list's output as the test looks at.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string

	TestImports, XTestImports []string
}

func TestImports(t *testing.T) {
	packages := list(t)
	standard := map[string]bool{"C": true}
	for _, p := range packages {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	missing := []string{module, module + "/crds", module + "/samples", module + "/v1alpha1"}
	for _, p := range packages {
		// With -test, go list also shows every package as its test build: "path [path.test]".
		testBuild := strings.Contains(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test")
		if testBuild || !within(p.ImportPath, module) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(path string) bool { return path == p.ImportPath })
		for _, path := range p.Imports {
			if !standard[path] && !allowed(path) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			if !standard[path] && !allowed(path) && !slices.Contains(allowedInTests, path) {
				t.Errorf("a test of %s imports %s", p.ImportPath, path)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("go list does not know %v: the test looked at nothing", missing)
	}
}

// TestClosure looks at everything that users of these types compile, however it came in.
func TestClosure(t *testing.T) {
	forbidden := []string{
		"k8s.io/client-go", "k8s.io/apiserver", "k8s.io/apiextensions-apiserver", "sigs.k8s.io/controller-runtime",
		"kubevirt.io",
		"google.golang.org/grpc", "github.com/hashicorp",
	}
	for _, p := range list(t) {
		for _, root := range forbidden {
			if within(p.ImportPath, root) {
				t.Errorf("%s is among the dependencies", p.ImportPath)
			}
		}
	}
}

func list(t *testing.T) []listed {
	t.Helper()
	// go test does not see what go list reads and would keep an old verdict; folders that the test
	// itself reads make it look again.
	if err := filepath.WalkDir(".", func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test",
		"-json=ImportPath,Standard,Imports,TestImports,XTestImports", "./...")
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	var packages []listed
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
