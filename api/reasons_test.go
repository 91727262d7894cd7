package api_test

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the tables of reasons instead of comparing with them")

// The documents with tables of reasons, and what stands around a table.
const (
	readmeOfAPI      = "README.md"
	readmeOfOperator = "../operator/README.md"
	listOfReasons    = "REASONS.md"

	tableBegins = "<!-- begin of a generated table: go test ./api -run TestTablesOfReasons -update -->\n"
	tableEnds   = "<!-- end of a generated table -->\n"
)

// kind is a kind with conditions, and their types in the order in which they are decided.
type kind struct {
	name       string
	conditions []string
}

// moves are the two kinds that share their reasons.
const (
	moves    = "MachineMove, Evacuation"
	rollouts = "MachineRollout"
)

func kinds() []kind {
	return []kind{
		{name: "Machine", conditions: []string{
			v1alpha1.ConditionReady, v1alpha1.ConditionPlaced, v1alpha1.ConditionRemoteReachable,
			v1alpha1.ConditionNetworkReady, v1alpha1.ConditionVirtualMachineReady, v1alpha1.ConditionNoCopies,
			v1alpha1.ConditionDeletionHeld,
		}},
		{name: "KubevirtConfig", conditions: []string{
			v1alpha1.ConditionConnected, v1alpha1.ConditionIdentityVerified, v1alpha1.ConditionRightsSufficient,
			v1alpha1.ConditionKubeVirtReady, v1alpha1.ConditionSchemaCompatible, v1alpha1.ConditionNoOrphans,
			v1alpha1.ConditionNotShared, v1alpha1.ConditionReleasable,
		}},
		{name: moves, conditions: []string{v1alpha1.ConditionReady}},
		{name: rollouts, conditions: []string{v1alpha1.ConditionReady}},
	}
}

// TestTablesOfReasons compares each table of reasons in the documentation with the rows of the
// reasons, from which -update writes it.
func TestTablesOfReasons(t *testing.T) {
	tables := map[string]string{
		readmeOfAPI:      conditionTable(),
		readmeOfOperator: actorTable(),
		listOfReasons:    helpTable(),
	}
	for path, table := range tables {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, begins := strings.Cut(string(content), tableBegins)
		_, after, ends := strings.Cut(rest, tableEnds)
		if !begins || !ends {
			t.Fatalf("%s has no place for a generated table", path)
		}
		want := before + tableBegins + table + tableEnds + after
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(content), "\n")); diff != "" {
			t.Errorf("%s is stale: run go test ./api -run TestTablesOfReasons -update: -want +got:\n%s", path, diff)
		}
	}
}

// TestTablesHaveEachReason guards against a condition that no table asks for.
func TestTablesHaveEachReason(t *testing.T) {
	for _, info := range v1alpha1.ReasonInfos() {
		word := "`" + info.Reason + "`"
		for name, table := range map[string]string{"conditions": conditionTable(), "actors": actorTable(),
			"help": helpTable()} {
			if !strings.Contains(table, word) {
				t.Errorf("the table of %s has no %s", name, word)
			}
		}
	}
}

// conditionTable lists the reasons of each condition.
func conditionTable() string {
	table := "| kind | type | reasons |\n|---|---|---|\n"
	for _, k := range kinds() {
		for _, condition := range k.conditions {
			words := reasonsOf(k, condition, func(v1alpha1.ReasonInfo) bool { return true })
			table += fmt.Sprintf("| %s | `%s` | %s |\n", k.name, condition, words)
		}
	}
	return table
}

// actorTable lists the reasons of each condition by who ends them.
func actorTable() string {
	table := "| kind | condition | good | passes by itself | a person must act |\n|---|---|---|---|---|\n"
	for _, k := range kinds() {
		for _, condition := range k.conditions {
			table += fmt.Sprintf("| %s | %s |", k.name, condition)
			for _, is := range []func(v1alpha1.ReasonInfo) bool{
				func(info v1alpha1.ReasonInfo) bool { return info.Good },
				func(info v1alpha1.ReasonInfo) bool { return !info.Good && info.Acts != v1alpha1.ActorPerson },
				func(info v1alpha1.ReasonInfo) bool { return info.Acts == v1alpha1.ActorPerson },
			} {
				table += strings.TrimRight(" "+reasonsOf(k, condition, is), " ") + " |"
			}
			table += "\n"
		}
	}
	return table
}

// reasonsOf are the reasons of a condition, as code.
func reasonsOf(k kind, condition string, is func(v1alpha1.ReasonInfo) bool) string {
	var words []string
	for _, info := range v1alpha1.ReasonInfos() {
		if slices.Contains(conditionsOf(k, info), condition) && is(info) {
			words = append(words, "`"+info.Reason+"`")
		}
	}
	return strings.Join(words, " ")
}

// conditionsOf are the conditions of a kind that have a reason.
func conditionsOf(k kind, info v1alpha1.ReasonInfo) []string {
	switch {
	case k.name == moves:
		return info.MoveConditions
	case k.name == rollouts:
		return info.RolloutConditions
	case k.name != "Machine":
		return info.ConfigConditions
	case info.LosesContact:
		return []string{info.Condition, v1alpha1.ConditionRemoteReachable}
	default:
		return []string{info.Condition}
	}
}

// helpTable lists all reasons with what to do about them.
func helpTable() string {
	table := "| reason | of | who ends it | how |\n|---|---|---|---|\n"
	for _, info := range v1alpha1.ReasonInfos() {
		who := string(info.Acts)
		if info.Good {
			who = "it is good"
		}
		var of []string
		for _, k := range kinds() {
			for _, condition := range conditionsOf(k, info) {
				if condition != "" && !slices.Contains(of, condition) {
					of = append(of, condition)
				}
			}
		}
		row := fmt.Sprintf("| `%s` | %s | %s | %s", info.Reason, strings.Join(of, ", "), who, info.Help)
		table += strings.TrimRight(row, " ") + " |\n"
	}
	return table
}

// TestEachReasonIsUsed: a reason that no code gives is a word in the documents that nobody ever
// sees.
func TestEachReasonIsUsed(t *testing.T) {
	unused := map[string]bool{}
	for _, spec := range constantsOf(t, "Reason") {
		unused[spec.Names[0].Name] = true
	}
	if len(unused) < 50 {
		t.Fatalf("%d reasons are too few to believe", len(unused))
	}
	for _, module := range []string{"operator", "virtualmachine", "clusterstatus", "clientmgr"} {
		err := filepath.WalkDir(filepath.Join("..", module), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			code, err := os.ReadFile(path)
			for _, word := range identifier.FindAllString(string(code), -1) {
				delete(unused, word)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(unused) > 0 {
		t.Errorf("no code gives these reasons: %v", slices.Sorted(maps.Keys(unused)))
	}
}

var identifier = regexp.MustCompile(`\bReason\w+`)
