// Package examples_test builds and runs the programs of the README.
package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// build builds the program of a folder in another folder, which others cannot write.
func build(t *testing.T, folder, path string) {
	t.Helper()
	if _, err := os.ReadFile(filepath.Join(folder, "main.go")); err != nil { // so that a change of it is not answered from the cache
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "./"+folder)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", folder, err, out)
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

// TestEmbed runs a host of one's own over the plugin of the quick start.
func TestEmbed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	host, zone := filepath.Join(dir, "embed"), filepath.Join(dir, "placement-zone")
	build(t, "embed", host)
	build(t, "zone", zone)
	digest, err := plugin.Digest(zone)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		args   []string
		code   int
		want   string
	}{
		"the plugin that is pinned": {
			reason: "the program of the README asks the plugin and prints its answer",
			args:   []string{dir, "zone", digest},
			want:   "zone: Placed west (same zone)\ncluster: west\n",
		},
		"no digest": {
			reason: "a plugin without a digest is not started, and the program ends with an error",
			args:   []string{dir, "zone", ""},
			code:   1,
			want: "zone: Failed (plugin \"zone\" is unavailable: no sha256 is given for executable placement-zone)\n" +
				"strategy \"zone\" gave no answer: plugin \"zone\" is unavailable: " +
				"no sha256 is given for executable placement-zone\n",
		},
		"no argument": {
			reason: "the program says how it is called",
			code:   2,
			want:   "usage: embed DIRECTORY NAME SHA256\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), host, tc.args...)
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("%s: it ends with %d (%v), want %d", tc.reason, code, err, tc.code)
			}
			if diff := cmp.Diff(tc.want, string(out)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
