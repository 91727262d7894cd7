package chart_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
)

// TestCopiesAreFresh compares the chart's folder files with what it is made of.
func TestCopiesAreFresh(t *testing.T) {
	copies, err := chart.Copies(root)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for path, content := range copies {
		want[path] = string(content)
	}
	got := tree(t, filepath.Join(root, "deploy", "chart", "files"))
	if len(got) < 9 {
		t.Errorf("%d copies: the test looked at nothing", len(got))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run make generate (-want +got):\n%s", diff)
	}
}

// TestWriteCopies: what is no longer a copy goes, and what is one is written.
func TestWriteCopies(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "files", "crds"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "files", "crds", "gone.yaml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := chart.WriteCopies(root, folder); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tree(t, filepath.Join(root, "deploy", "chart", "files")),
		tree(t, filepath.Join(folder, "files"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// tree are the files below a folder.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(folder, path))
		all[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestVersion: the chart installs the operator of the same commit.
func TestVersion(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "versions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var versions struct {
		Modules map[string]string `json:"modules"`
	}
	if err := yaml.Unmarshal(content, &versions); err != nil {
		t.Fatal(err)
	}
	metadata := load(t).Metadata
	want := versions.Modules["operator"]
	if metadata.AppVersion != want || "v"+metadata.Version != want {
		t.Errorf("versions.yaml says operator %s, Chart.yaml version %s and appVersion %s", want, metadata.Version,
			metadata.AppVersion)
	}
}
