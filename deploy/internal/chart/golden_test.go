package chart_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
)

// TestGolden renders the chart for each set of values. The definitions are shown without their
// schemas, which are copies.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "values", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d sets of values: %v", len(files), err)
	}
	sets := []string{"default"}
	for _, file := range files {
		sets = append(sets, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	for _, set := range sets {
		t.Run(set, func(t *testing.T) {
			made := rendered(t, set)
			var got bytes.Buffer
			for _, object := range objects(t, []byte(made.Manifest)) {
				if object.GetKind() == "CustomResourceDefinition" {
					object.Object["spec"] = "a copy"
				}
				text, err := yaml.Marshal(object.Object)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n" + string(text))
			}
			golden(t, set+".yaml", got.Bytes())
			golden(t, set+".notes.txt", []byte(made.Info.Notes))
		})
	}
}

// golden compares with a file in testdata/golden, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: read the difference, then -update (-want +got):\n%s", path, diff)
	}
}

// TestOtherRelease: two releases stand side by side only where no name is given by the chart.
func TestOtherRelease(t *testing.T) {
	made, err := chart.Render(t.Context(), load(t), chart.Release{
		Name: "blue", Namespace: "team", Values: values(t, "second"),
	})
	if err != nil {
		t.Fatal(err)
	}
	all := objects(t, []byte(made.Manifest))
	if len(all) < 8 {
		t.Fatalf("%d objects", len(all))
	}
	for _, object := range all {
		if object.GetName() != "blue-kubevirt-operator" {
			t.Errorf("%s %s would be in the way of another release", object.GetKind(), object.GetName())
		}
		if namespace := object.GetNamespace(); namespace == name || namespace == "kubevirt-configs" {
			t.Errorf("%s %s is in %s", object.GetKind(), object.GetName(), namespace)
		}
	}
}
