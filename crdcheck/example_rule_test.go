package crdcheck_test

import (
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/example"
)

// TestExamples: each rule finds its examples, of which it has one for each question that it belongs
// to, and nothing where nothing changes. Those of admit are asked in the program's tests.
func TestExamples(t *testing.T) {
	for _, rule := range crdcheck.Rules() {
		for _, question := range rule.Questions {
			shown := slices.ContainsFunc(rule.ID.Examples(), func(e crdcheck.Example) bool { return e.Shows(question) })
			if question == "compare" && rule.ID == crdcheck.RuleClusterUnknown {
				continue // shown by fleet
			}
			if !shown {
				t.Errorf("%s has no example for %s", rule.ID, question)
			}
		}
		for _, e := range rule.ID.Examples() {
			for _, question := range []string{"compare", "fleet", "require"} {
				if e.Shows(question) && slices.Contains(rule.Questions, question) {
					t.Run(string(rule.ID)+" "+question, func(t *testing.T) { asked(t, rule.ID, question, e) })
				}
			}
		}
	}
}

func asked(t *testing.T, rule crdcheck.RuleID, question string, e crdcheck.Example) {
	old := snapshotOf(t, "old", e.Of, e.Old)
	var report, same crdcheck.Report
	switch question {
	case "require":
		var needed crdcheck.KindUsage
		if err := yaml.UnmarshalStrict([]byte(e.New), &needed); err != nil {
			t.Fatal(err)
		}
		needed.CRD = example.CRD
		usage := crdcheck.Usage{Program: "p", Kinds: []crdcheck.KindUsage{needed}}
		report = crdcheck.Require(old, usage.Requirements())
	case "fleet": // the first by name that has the definition is the baseline
		name := "new"
		if e.New != crdcheck.Absent && e.New != crdcheck.NoAnswer {
			name = "older"
		}
		report = crdcheck.Fleet([]crdcheck.Snapshot{old, snapshotOf(t, name, e.Of, e.New)}, namesOf(e))
		same = crdcheck.Fleet([]crdcheck.Snapshot{old, snapshotOf(t, "older", e.Of, e.Old)}, namesOf(e))
	default:
		now := snapshotOf(t, "new", e.Of, e.New)
		report = crdcheck.Compare(old, now, crdcheck.Options{})
		if e.New != crdcheck.Absent {
			same = crdcheck.Compare(now, now, crdcheck.Options{})
		}
	}
	if !slices.ContainsFunc(report.Findings, func(f crdcheck.Finding) bool { return f.Rule == rule }) {
		t.Errorf("%+v: found %+v", e, report.Findings)
	}
	if len(same.Findings) > 0 {
		t.Errorf("differs from itself: %+v", same.Findings)
	}
}

// namesOf are the definitions that an example is about.
func namesOf(e crdcheck.Example) []string {
	if e.Of == "schema" {
		return []string{"widgets.example.com"}
	}
	return []string{example.CRD}
}

func snapshotOf(t *testing.T, cluster, of, part string) crdcheck.Snapshot {
	t.Helper()
	if part == crdcheck.NoAnswer {
		return crdcheck.Unobserved(cluster, "no answer in time")
	}
	if of == "schema" {
		return probed(t, cluster, part)
	}
	crds, err := example.Definition(part)
	if err != nil {
		t.Fatalf("%s: %v", part, err)
	}
	return crdcheck.Observed(cluster, crds...)
}
