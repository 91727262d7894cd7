package crdcheck_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// TestDeterminism asks the same in sixty orders; all answers are the same bytes, and no argument
// changes.
func TestDeterminism(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	other := widget(t, "minimum: 1", "minimum: 2", "storage: true", "storage: false", "parts:", "pieces:")
	gadget := widget(t)
	gadget.Name = "gadgets.example.com"
	names := []string{"widgets.example.com", "gadgets.example.com", "missing.example.com"}
	requirements := []crdcheck.Requirement{
		{
			CRD:     "widgets.example.com",
			Version: "v1",
			Fields:  []crdcheck.Field{crdcheck.Reads("spec.a"), crdcheck.Writes("spec.a"), crdcheck.Writes("spec.b")},
		},
		{CRD: "widgets.example.com", Version: "v2"},
		{CRD: "gadgets.example.com", Version: "v1beta1"},
		{CRD: "missing.example.com", Version: "v1"},
	}
	clusters := map[string][]apiextensionsv1.CustomResourceDefinition{
		"east": {widget(t), gadget}, "west": {gadget, other}, "north": {other}, "south": {},
		"twice": {widget(t), widget(t), gadget, gadget}, // unknown, with two reasons to choose from
	}
	var first string
	for round := range 60 {
		var snapshots []crdcheck.Snapshot
		for name, crds := range clusters { // in map order
			crds = slices.Clone(crds)
			shuffle(random, crds)
			snapshots = append(snapshots, crdcheck.Observed(name, crds...))
		}
		snapshots = append(snapshots, crdcheck.Unobserved("dark", "no answer"))
		shuffle(random, snapshots)
		shuffle(random, names)
		shuffle(random, requirements)
		before := fmt.Sprint(names, requirements)

		fleet := crdcheck.Fleet(snapshots, names)
		required := crdcheck.Require(crdcheck.Observed("east", clusters["east"]...), requirements)

		if diff := cmp.Diff(before, fmt.Sprint(names, requirements)); diff != "" {
			t.Fatalf("round %d changed its arguments: -before +after:\n%s", round, diff)
		}
		var text bytes.Buffer
		for _, report := range []crdcheck.Report{fleet, required} {
			if err := render.Text(&text, report); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&text, "%+v\n", report)
		}
		if round == 0 {
			first = text.String()
		}
		if diff := cmp.Diff(first, text.String()); diff != "" {
			t.Fatalf("round %d: -first +this:\n%s", round, diff)
		}
	}
}

// TestObservedKeepsItsArguments changes a CRD after and compares it before and after: snapshots are
// values of their own.
func TestObservedKeepsItsArguments(t *testing.T) {
	crd := widget(t)
	before := crd.DeepCopy()
	snapshot := crdcheck.Observed("west", crd)
	if diff := cmp.Diff(*before, crd); diff != "" {
		t.Errorf("Observed changed the CRD: -before +after:\n%s", diff)
	}
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = apiextensionsv1.JSONSchemaProps{}
	crd.Status.StoredVersions[0] = "v9"
	report := crdcheck.Fleet([]crdcheck.Snapshot{crdcheck.Observed("east", *before), snapshot}, []string{crd.Name})
	if !report.OK() {
		t.Errorf("the snapshot followed a change of the CRD: %+v", report.Findings)
	}
}

func shuffle[T any](random *rand.Rand, values []T) {
	random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
}
