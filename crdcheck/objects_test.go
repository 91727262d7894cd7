package crdcheck_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func TestPathsOf(t *testing.T) {
	object := map[string]any{
		"apiVersion": "v1", "kind": "X", "metadata": map[string]any{"name": "x"},
		"spec": map[string]any{
			"list": []any{
				map[string]any{"a": 1},
				map[string]any{"b": nil},
			}, "empty": []any{}, "none": map[string]any{}, "dotted.name": true,
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"a/b": "c"}},
				"spec":     map[string]any{"x": 1},
			},
		},
	}
	want := []string{
		"spec.empty",
		"spec.list[].a",
		"spec.list[].b",
		"spec.none",
		"spec.template.metadata",
		"spec.template.spec.x",
		`spec["dotted.name"]`,
	}
	if diff := cmp.Diff(want, crdcheck.PathsOf(object)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := crdcheck.PathsOf(object, object); len(got) != len(want) {
		t.Errorf("twice the same object writes more: %v", got)
	}
	if got := crdcheck.PathsOf(); len(got) > 0 {
		t.Errorf("nothing writes %v", got)
	}
}
