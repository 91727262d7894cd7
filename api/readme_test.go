package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var codeSpan = regexp.MustCompile("`([^`]+)`")

// TestReadmeKeys compares the table of annotations, labels and finalizers with the constants, both ways.
func TestReadmeKeys(t *testing.T) {
	got := map[string]bool{}
	for _, cells := range tableRows(t, "## Annotations, labels, finalizers") {
		for _, key := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
			got[key[1]] = true
		}
	}
	compareWords(t, constants(t, "Annotation", "Label", "LegacyLabel", "Finalizer"), got)
}

func compareWords(t *testing.T, want, got map[string]bool) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("no constants found: the test looked at nothing")
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("constants and README.md differ: -constants +README.md:\n%s", diff)
	}
}

// tableRows returns the cells of every row, but the head, of the table under a heading of README.md.
func tableRows(t *testing.T, heading string) [][]string {
	t.Helper()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(content), heading+"\n")
	if !found {
		t.Fatalf("README.md has no %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"); len(cells) > 1 {
			rows = append(rows, cells)
		}
	}
	if len(rows) < 3 {
		t.Fatalf("README.md has no table under %q", heading)
	}
	return rows[2:]
}

// constants returns the values of all exported string constants of v1alpha1 whose name begins with
// one of the prefixes, and fails for any that has no comment.
func constants(t *testing.T, prefixes ...string) map[string]bool {
	t.Helper()
	values := map[string]bool{}
	for _, spec := range constantsOf(t, prefixes...) {
		addConstant(t, values, spec)
	}
	return values
}

// constantsOf returns the declarations of all constants of v1alpha1 whose name begins with one of
// the prefixes.
func constantsOf(t *testing.T, prefixes ...string) []*ast.ValueSpec {
	t.Helper()
	files, err := filepath.Glob("v1alpha1/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []*ast.ValueSpec
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			block, ok := declaration.(*ast.GenDecl)
			if !ok || block.Tok != token.CONST {
				continue
			}
			for _, spec := range block.Specs {
				spec := spec.(*ast.ValueSpec)
				begins := func(prefix string) bool { return strings.HasPrefix(spec.Names[0].Name, prefix) }
				if slices.ContainsFunc(prefixes, begins) {
					found = append(found, spec)
				}
			}
		}
	}
	return found
}

func addConstant(t *testing.T, values map[string]bool, spec *ast.ValueSpec) {
	t.Helper()
	name := spec.Names[0].Name
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok {
		t.Fatalf("%s is not a literal", name)
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	if spec.Doc == nil || !strings.Contains(spec.Doc.Text(), name) {
		t.Errorf("%s has no comment that begins with its name", name)
	}
	values[value] = true
}
