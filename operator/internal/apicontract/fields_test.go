package apicontract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const apiPackage = "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"

// specs are what people write.
var specs = map[string]reflect.Type{
	"Machine":              reflect.TypeFor[vitistackv1alpha1.MachineSpec](),
	"MachineClass":         reflect.TypeFor[vitistackv1alpha1.MachineClassSpec](),
	"KubevirtConfig":       reflect.TypeFor[vitistackv1alpha1.KubevirtConfigSpec](),
	"NetworkConfiguration": reflect.TypeFor[vitistackv1alpha1.NetworkConfigurationSpec](),
	"NetworkNamespace":     reflect.TypeFor[vitistackv1alpha1.NetworkNamespaceSpec](),
}

// TestEveryFieldCounts: a field that somebody can set is read by the program, or README.md of the
// API says that it has no effect; and what stands there has none. Nobody finds out otherwise: an
// API server takes the field, and nothing happens.
func TestEveryFieldCounts(t *testing.T) {
	used := usedFields(t)
	unread := map[string]bool{}
	for kind, spec := range specs {
		walk(kind+".spec", spec, func(path string, owner reflect.Type, field reflect.StructField) bool {
			read := used[owner.Name()+"."+field.Name]
			if !read {
				unread[path] = true
			}
			return read
		})
	}
	if len(used) < 40 {
		t.Fatalf("only %d fields are used: the test looked at too little", len(used))
	}
	told := documented(t)
	for _, path := range slices.Sorted(maps.Keys(unread)) {
		if !told[path] {
			t.Errorf("nothing reads %s, and README.md does not say so", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(told)) {
		if !unread[path] {
			t.Errorf("README.md says that %s has no effect, and something reads it, or it is no field", path)
		}
	}
}

// walk visits the fields of a struct, by their names in a manifest, and those in a field for which
// visit says so.
func walk(
	path string, structure reflect.Type, visit func(path string, owner reflect.Type, field reflect.StructField) bool,
) {
	for i := range structure.NumField() {
		field := structure.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner, at := field.Type, path+"."+name
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			if inner.Kind() == reflect.Slice {
				at += "[]"
			}
			inner = inner.Elem()
		}
		if visit(at, structure, field) && inner.Kind() == reflect.Struct && inner.PkgPath() == apiPackage {
			walk(at, inner, visit)
		}
	}
}

// documented are the fields of the section of README.md.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "api", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(content), "## Fields without an effect")
	if !found {
		t.Fatal("README.md has no such section")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	fields := map[string]bool{}
	for _, span := range regexp.MustCompile("`([A-Z][A-Za-z]+\\.spec\\.[^`]+)`").FindAllStringSubmatch(section, -1) {
		fields[span[1]] = true
	}
	return fields
}

// listed is a package as go list knows it.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	DepOnly                 bool
}

// usedFields are the fields of the API, as Type.Field, that some code of the program selects.
func usedFields(t *testing.T) map[string]bool {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-trimpath", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,DepOnly",
		"github.com/vitistack/kubevirt-multicluster/operator/...")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	exports, ours := map[string]string{}, []listed{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, "github.com/vitistack/kubevirt-multicluster/") {
			ours = append(ours, p)
		}
	}
	used := map[string]bool{}
	for _, p := range ours {
		if err := addSelected(used, p, exports); err != nil {
			t.Fatalf("%s: %v", p.ImportPath, err)
		}
	}
	return used
}

// addSelected checks the types of a package and notes which fields of the API it selects.
func addSelected(used map[string]bool, p listed, exports map[string]string) error {
	files := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		if strings.HasPrefix(name, "zz_generated") { // copies of everything
			continue
		}
		file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, file)
	}
	open := func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	config := types.Config{Importer: importer.ForCompiler(files, "gc", open), Error: func(error) {}} // the API lacks its generated copies
	if _, err := config.Check(p.ImportPath, files, parsed, info); err != nil && p.ImportPath != apiPackage {
		return err
	}
	for _, selection := range info.Selections {
		field, ok := selection.Obj().(*types.Var)
		if !ok || field.Pkg() == nil || field.Pkg().Path() != apiPackage {
			continue
		}
		receiver := selection.Recv()
		if pointer, ok := receiver.(*types.Pointer); ok {
			receiver = pointer.Elem()
		}
		if named, ok := receiver.(*types.Named); ok {
			used[named.Obj().Name()+"."+field.Name()] = true
		}
	}
	return nil
}
