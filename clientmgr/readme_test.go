package clientmgr_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// metricName is how this package spells a metric.
var metricName = regexp.MustCompile(`"(clientmgr_[a-z_]+)"`)

// TestReadmeIsComplete looks in README.md for every reason, phase and error that this package
// exports, and for every metric.
func TestReadmeIsComplete(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	//nolint:staticcheck // one package without build tags
	packages, err := parser.ParseDir(token.NewFileSet(), ".", func(f fs.FileInfo) bool {
		return !strings.HasSuffix(f.Name(), "_test.go")
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string]bool{"Disconnected": true, "Connecting": true, "Connected": true, "Degraded": true,
		"Stopped": true}
	for _, declared := range exported(packages["clientmgr"]) {
		switch {
		case strings.HasPrefix(declared, "Err"):
			wants["`"+declared+"`"] = true
		case strings.HasPrefix(declared, "Reason"):
			wants["| "+strings.TrimPrefix(declared, "Reason")+" |"] = true
		}
	}
	metrics, err := os.ReadFile("clusters/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range metricName.FindAllSubmatch(metrics, -1) {
		wants["`"+string(found[1])+"`"] = true
	}
	if len(wants) < 40 {
		t.Fatalf("only %d names are looked for: the test looks at nothing", len(wants))
	}
	for want := range wants {
		if !strings.Contains(string(readme), want) {
			t.Errorf("README.md lacks %s", want)
		}
	}
}

// exported returns the names of the exported constants and variables.
func exported(of *ast.Package) (names []string) { //nolint:staticcheck // as above
	for _, file := range of.Files {
		for _, declaration := range file.Decls {
			group, isGroup := declaration.(*ast.GenDecl)
			if !isGroup {
				continue
			}
			for _, spec := range group.Specs {
				values, isValues := spec.(*ast.ValueSpec)
				if !isValues {
					continue
				}
				for _, name := range values.Names {
					if name.IsExported() {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}
