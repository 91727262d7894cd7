package crdcheck_test

import (
	"maps"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestExamples: each rule of Compare finds its example, and nothing where nothing changes.
func TestExamples(t *testing.T) {
	for _, rule := range crdcheck.Rules() {
		example, found := rule.ID.Example()
		if wanted := slices.Contains(rule.Questions, "compare") && rule.ID != crdcheck.RuleClusterUnknown; found != wanted {
			t.Errorf("%s: has an example: %t, wants one: %t", rule.ID, found, wanted)
		}
		if !found {
			continue
		}
		t.Run(string(rule.ID), func(t *testing.T) {
			old, now := exampleOf(t, example, example.Old), exampleOf(t, example, example.New)
			report := crdcheck.Compare(old, now, crdcheck.Options{})
			if !slices.ContainsFunc(report.Findings, func(f crdcheck.Finding) bool { return f.Rule == rule.ID }) {
				t.Errorf("%+v: found %+v", example, report.Findings)
			}
			if same := crdcheck.Compare(now, now, crdcheck.Options{}); example.New != "absent" && len(same.Findings) > 0 {
				t.Errorf("differs from itself: %+v", same.Findings)
			}
		})
	}
}

func exampleOf(t *testing.T, example crdcheck.Example, part string) crdcheck.Snapshot {
	t.Helper()
	if example.Of == "schema" {
		return probed(t, "cluster", part)
	}
	if part == "absent" {
		return crdcheck.Observed("cluster")
	}
	whole, patch := map[string]any{}, map[string]any{}
	for text, into := range map[string]*map[string]any{part: &patch, `
metadata: {name: boats.harbour.example}
spec:
  group: harbour.example
  scope: Namespaced
  names: {plural: boats, kind: Boat}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`: &whole} {
		if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	merge(whole, patch)
	text, err := yaml.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		t.Fatal(err)
	}
	return crdcheck.Observed("cluster", crd)
}

// merge puts a patch over a document, map by map.
func merge(into, patch map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		below, isMap := patch[key].(map[string]any)
		if former, was := into[key].(map[string]any); isMap && was {
			merge(former, below)
			continue
		}
		into[key] = patch[key]
	}
}
