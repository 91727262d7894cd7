package image_test

import (
	"archive/tar"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/image"
)

// pack writes a compressed archive with small files.
func pack(t *testing.T, path string, names ...string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	compressed := gzip.NewWriter(file)
	files := tar.NewWriter(compressed)
	for _, name := range names {
		header := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(name))}
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, closed := range []func() error{files.Close, compressed.Close, file.Close} {
		if err := closed(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReleased: the image's programs are those of the release's archives, and nothing else in them
// is taken for one.
func TestReleased(t *testing.T) {
	archives, folder := t.TempDir(), filepath.Join(t.TempDir(), "programs")
	pack(t, filepath.Join(archives, "kubectl-machine-linux-arm64.tar.gz"), "LICENSE", "kubectl-machine", "kubectl_complete-machine")
	pack(t, filepath.Join(archives, "placement-plugins-linux-arm64.tar.gz"), "LICENSE", "SHA256SUMS", "placement-single",
		"placement-spread", "../placement-outside")
	programs, err := image.Released(archives, "arm64", folder)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, pattern := range []string{"*", "*/*", "../*"} {
		paths, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if content, err := os.ReadFile(path); err == nil {
				got[strings.TrimPrefix(path, folder)] = string(content)
			}
		}
	}
	want := map[string]string{
		"/operator": "kubectl-machine", "/plugins/placement-single": "placement-single",
		"/plugins/placement-spread": "placement-spread",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if programs.Operator != folder+"/operator" || programs.Plugins != folder+"/plugins" {
		t.Errorf("got %+v", programs)
	}
}

// TestReleasedRefused: a release without an operator for the architecture makes no image.
func TestReleasedRefused(t *testing.T) {
	archives := t.TempDir()
	pack(t, filepath.Join(archives, "kubectl-machine-linux-amd64.tar.gz"), "LICENSE")
	for architecture, want := range map[string]string{"amd64": "has no operator", "arm64": "no such file"} {
		if _, err := image.Released(archives, architecture, t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", architecture, want, err)
		}
	}
}
