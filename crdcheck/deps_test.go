package crdcheck_test

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

const module = "github.com/vitistack/kubevirt-multicluster/crdcheck"

// pure are the packages that everybody can afford: no client, no CEL, no I/O.
var pure = []string{
	module, module + "/render", module + "/ignore", module + "/observe", module + "/internal/kept",
	module + "/internal/several",
}

// allowed are what they may import beyond the standard library.
var allowed = []string{
	module, "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1", "k8s.io/apimachinery",
	"github.com/hashicorp/go-multierror", "github.com/google/go-cmp", "sigs.k8s.io/yaml",
	"sigs.k8s.io/json", "go.yaml.in/yaml/v3",
}

// timed may import time: an entry of an ignore file has a last day, which is an argument.
var timed = []string{module + "/ignore"}

// impure are what a package without I/O, clock, log and randomness has no use for.
var impure = []string{
	"os",
	"net",
	"net/http",
	"log",
	"log/slog",
	"time",
	"math/rand",
	"math/rand/v2",
	"crypto/rand",
	"unsafe",
}

// unwanted must not come in through others: users pay for all that is compiled.
var unwanted = []string{
	"k8s.io/client-go",
	"k8s.io/apiserver",
	"github.com/google/cel-go",
	"sigs.k8s.io/controller-runtime",
	"google.golang.org/grpc",
}

// within returns whether a root is the path or above it.
func within(path string) func(root string) bool {
	return func(root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

func TestImports(t *testing.T) {
	packages := list(t, pure...)
	standard := map[string]bool{}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	missing := slices.Clone(pure)
	for _, p := range packages {
		if slices.ContainsFunc(unwanted, within(p.ImportPath)) {
			t.Errorf("%s is among the dependencies", p.ImportPath)
		}
		if !within(p.ImportPath)(module) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(path string) bool { return path == p.ImportPath })
		for _, path := range p.Imports {
			if standard[path] && slices.Contains(impure, path) && (path != "time" || !slices.Contains(timed, p.ImportPath)) {
				t.Errorf("%s imports %s and is not pure", p.ImportPath, path)
			}
			if !standard[path] && !slices.ContainsFunc(allowed, within(path)) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("go list does not know %v: the test looked at nothing", missing)
	}
}

func list(t *testing.T, of ...string) []listed {
	t.Helper()
	// go test does not see what go list reads and would keep an old verdict; folders that the test
	// itself reads make it look again.
	if err := filepath.WalkDir(".", func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(
		t.Context(),
		"go",
		append([]string{"list", "-deps", "-json=ImportPath,Standard,Imports"}, of...)...)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
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
