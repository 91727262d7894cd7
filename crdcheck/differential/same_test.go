package differential

import (
	"bytes"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// TestBytesStayTheSame compares every pair in many orders of its map keys: the report is the same,
// byte for byte.
func TestBytesStayTheSame(t *testing.T) {
	eachPair(t, func(t *testing.T, p pair) {
		var first []byte
		for round := range 3 {
			var text bytes.Buffer
			report := compare(pair{old: p.old.DeepCopy(), new: p.new.DeepCopy()}) // other maps, another order
			if err := render.JSON(&text, render.Document{Question: "compare", Report: report}); err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				first = text.Bytes()
			} else if !bytes.Equal(first, text.Bytes()) {
				t.Fatalf("round %d differs", round)
			}
		}
	})
}

// TestRemovalsCompose: what is removed over three releases was removed in one of the steps.
func TestRemovalsCompose(t *testing.T) {
	releases := projects["kubevirt"]
	first, last := snapshot(t, releases[0]), snapshot(t, releases[len(releases)-1])
	steps := map[string]bool{}
	for i := range releases[1:] {
		report := crdcheck.Compare(snapshot(t, releases[i]), snapshot(t, releases[i+1]), crdcheck.Options{})
		for _, f := range report.Findings {
			if f.Rule == crdcheck.RuleFieldRemoved {
				steps[f.CRD+f.Path] = true
			}
		}
	}
	for _, f := range crdcheck.Compare(first, last, crdcheck.Options{}).Findings {
		if f.Rule == crdcheck.RuleFieldRemoved && !steps[f.CRD+f.Path] {
			t.Errorf("%s: %s went without a step", f.CRD, f.Path)
		}
	}
}
