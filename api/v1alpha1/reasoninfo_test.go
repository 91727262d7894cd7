package v1alpha1_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestEachReasonHasOneRow compares the constants with the rows, both ways.
func TestEachReasonHasOneRow(t *testing.T) {
	var rows []string
	for _, row := range v1alpha1.ReasonInfos() {
		rows = append(rows, row.Reason)
	}
	constants := reasonConstants(t)
	if len(constants) < 80 {
		t.Fatalf("only %d constants found: the test looked at too little", len(constants))
	}
	slices.Sort(rows)
	slices.Sort(constants)
	if diff := cmp.Diff(constants, rows); diff != "" {
		t.Errorf("constants and rows differ: -constants +rows:\n%s", diff)
	}
}

// TestRows holds what must be true of every row.
func TestRows(t *testing.T) {
	actors := []v1alpha1.Actor{v1alpha1.ActorPerson, v1alpha1.ActorCluster, v1alpha1.ActorTime}
	for _, row := range v1alpha1.ReasonInfos() {
		if row.Condition == "" && len(row.ConfigConditions)+len(row.MoveConditions)+len(row.RolloutConditions) == 0 {
			t.Errorf("%s is the reason of no condition", row.Reason)
		}
		if row.Good != (row.Acts == "") || row.Good != (row.Help == "") {
			t.Errorf("%s: a good reason has no actor and no help, any other has both: %+v", row.Reason, row)
		}
		if !row.Good && !slices.Contains(actors, row.Acts) {
			t.Errorf("%s: %q is no actor", row.Reason, row.Acts)
		}
		if row.FailsUnplaced && row.Acts != v1alpha1.ActorPerson {
			t.Errorf("%s: a Machine is Failed only where a person must act", row.Reason)
		}
		if found, ok := v1alpha1.InfoOf(row.Reason); !ok || !cmp.Equal(found, row) {
			t.Errorf("InfoOf(%q): want %+v, got %+v, %t", row.Reason, row, found, ok)
		}
	}
	if info, found := v1alpha1.InfoOf("NoSuchReason"); found {
		t.Errorf("InfoOf(NoSuchReason): want none, got %+v", info)
	}
}

// TestRowsAreCopies changes a result, which must not change what others get.
func TestRowsAreCopies(t *testing.T) {
	for _, row := range v1alpha1.ReasonInfos() {
		for i := range row.ConfigConditions {
			row.ConfigConditions[i] = "changed"
		}
		for i := range row.MoveConditions {
			row.MoveConditions[i] = "changed"
		}
		for i := range row.RolloutConditions {
			row.RolloutConditions[i] = "changed"
		}
	}
	for _, row := range v1alpha1.ReasonInfos() {
		if slices.Contains(slices.Concat(row.ConfigConditions, row.MoveConditions, row.RolloutConditions), "changed") {
			t.Errorf("%s was changed through a result", row.Reason)
		}
	}
}

// reasonConstants returns the values of the constants whose names begin with Reason.
func reasonConstants(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, isValue := node.(*ast.ValueSpec)
			if !isValue || !strings.HasPrefix(spec.Names[0].Name, "Reason") || len(spec.Values) == 0 {
				return true
			}
			if literal, isLiteral := spec.Values[0].(*ast.BasicLit); isLiteral {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
			return true
		})
	}
	return values
}
