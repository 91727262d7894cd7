package main

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/example"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/valid"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// TestExamplesOfAdmit: each rule about objects finds its examples.
func TestExamplesOfAdmit(t *testing.T) {
	count := 0
	for _, rule := range crdcheck.Rules() {
		for _, e := range rule.ID.Examples() {
			if !e.Shows("admit") {
				continue
			}
			count++
			t.Run(string(rule.ID), func(t *testing.T) { admitExample(t, rule.ID, e) })
		}
		belongs := slices.Contains(rule.Questions, "admit")
		isShown := func(e crdcheck.Example) bool { return e.Shows("admit") }
		if shown := slices.ContainsFunc(rule.ID.Examples(), isShown); shown != belongs {
			t.Errorf("%s: has an example: %t, wants one: %t", rule.ID, shown, belongs)
		}
	}
	if count < 8 {
		t.Errorf("%d examples", count)
	}
}

func admitExample(t *testing.T, rule crdcheck.RuleID, e crdcheck.Example) {
	set := source.Set{Name: "east"}
	if e.Old == crdcheck.NoAnswer {
		set.Unknown = "no answer in time"
	} else {
		crds, err := example.Definition(e.Old)
		if err != nil {
			t.Fatal(err)
		}
		for i := range crds {
			crds[i].Spec.Names.ListKind, crds[i].Spec.Names.Singular = "BoatList", "boat"
			if err := valid.Definition(t.Context(), &crds[i]); err != nil {
				t.Errorf("the definition of the example: %v", err)
			}
		}
		set.CRDs = crds
	}
	content, err := example.Object(e.New)
	if err != nil {
		t.Fatal(err)
	}
	boat := object{label: "Boat default/b", Unstructured: unstructured.Unstructured{Object: content}}
	_, found, err := admitOne(t.Context(), new(admit.Cache), set, &boat)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Rule != rule {
		t.Errorf("%+v: found %+v", e, found)
	}
}
