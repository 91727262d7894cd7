package release_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/release"
)

// little is a repository with an operator, its plugins and a library, all of which were released.
type little struct {
	t      *testing.T
	folder string
}

func newLittle(t *testing.T) *little {
	t.Helper()
	l := &little{t: t, folder: t.TempDir()}
	l.git("init", "-q", "-b", "main")
	l.write("CHANGELOG.md", "# Changelog\n\n## Unreleased (v0.1.0)\n\n- all: begin.\n\n## v0.0.1\n\n- all: old.\n")
	l.write("versions.yaml", "modules:\n  library: v0.1.0\n  operator: v0.1.0\n  placement-plugins: v0.1.0\n")
	for _, module := range []string{"library", "operator", "placement-plugins"} {
		l.write(module+"/go.mod", "module example.test/"+module+"\n\ngo 1.26.0\n")
		l.write(module+"/doc.go", "package p\n")
	}
	l.commit("all: begin")
	for _, module := range []string{"library", "operator", "placement-plugins"} {
		l.git("tag", module+"/v0.1.0")
	}
	return l
}

func (l *little) git(args ...string) {
	l.t.Helper()
	command := exec.CommandContext(l.t.Context(), "git", append([]string{"-C", l.folder}, args...)...)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.test", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.test",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	if output, err := command.CombinedOutput(); err != nil {
		l.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, output)
	}
}

func (l *little) write(path, content string) {
	l.t.Helper()
	path = filepath.Join(l.folder, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

func (l *little) commit(subject string) {
	l.t.Helper()
	l.git("add", "-A")
	l.git("commit", "-q", "-m", subject)
}

// change changes a module and gives it a version.
func (l *little) change(module, version string) {
	l.t.Helper()
	l.write(module+"/more.go", "package p\n\n// More is more.\nconst More = 1\n")
	content, err := os.ReadFile(filepath.Join(l.folder, "versions.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.write("versions.yaml", strings.Replace(string(content), module+": v0.1.0", module+": "+version, 1))
	l.commit(module + ": add more")
}

// TestLibraryAlone: a release without a new operator has tags and notes, and publishes no program
// under a version that people have already.
func TestLibraryAlone(t *testing.T) {
	l := newLittle(t)
	l.change("library", "v0.1.1")
	folder := filepath.Join(t.TempDir(), "release")
	if _, err := release.Write(t.Context(), release.Options{Clone: l.folder, Folder: folder}); err != nil {
		t.Fatal(err)
	}
	files := tree(t, folder)
	hash := strings.TrimSpace(output(t, l.folder, "rev-parse", "HEAD"))
	short := strings.TrimSpace(output(t, l.folder, "rev-parse", "--short", "HEAD"))
	delete(files, "SHA256SUMS")
	want := map[string]string{
		"tags": "library/v0.1.1\n",
		"notes.md": "# Modules\n\nOf commit " + hash + ", 2026-01-02.\n\n## Changes\n\n- all: begin.\n" +
			"\n## Modules\n\nIn the order of their tags.\n\n| tag | before | why |\n|---|---|---|\n" +
			"| `library/v0.1.1` | v0.1.0 | 1 file changed |\n" +
			"\n## Commits\n\n### library\n\n- library: add more (" + short + ")\n",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestBreaksAreTold: who upgrades a library reads what to change.
func TestBreaksAreTold(t *testing.T) {
	l := newLittle(t)
	l.write("library/doc.go", "package p\n\n// Get gets.\nfunc Get() {}\n")
	l.commit("library: get")
	l.git("tag", "library/v0.1.1")
	l.write("library/doc.go", "package p\n")
	l.change("library", "v0.2.0")
	folder := t.TempDir()
	if _, err := release.Write(t.Context(), release.Options{Clone: l.folder, Folder: folder}); err != nil {
		t.Fatal(err)
	}
	if notes := tree(t, folder)["notes.md"]; !strings.Contains(notes, "\n## What programs have to change\n\n- library: `Get: removed`\n") {
		t.Errorf("the notes do not tell what breaks:\n%s", notes)
	}
}

// TestRefused: what would be released half is refused before anything is written.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(l *little)
		want   string
	}{
		"nothing": {
			reason: "a release of nothing is a mistake",
			change: func(l *little) { l.write("README.md", "hello\n"); l.commit("docs: greet") },
			want:   "there is nothing to release",
		},
		"plan": {
			reason: "a plan that is refused is no release",
			change: func(l *little) { l.write("README.md", "hello\n") },
			want:   "the working tree differs from the commit",
		},
		"plugins alone": {
			reason: "the image of a version has the plugins of that version",
			change: func(l *little) { l.change("placement-plugins", "v0.1.1") },
			want:   "raise the operator's version v0.1.0, too",
		},
		"other changes": {
			reason: "people would read about another version",
			change: func(l *little) { l.change("operator", "v0.2.0") },
			want:   `the first section of CHANGELOG.md is "Unreleased (v0.1.0)", and not about the operator's version v0.2.0`,
		},
		"no changes": {
			reason: "people would read nothing",
			change: func(l *little) {
				l.write("CHANGELOG.md", "# Changelog\n\n## v0.2.0\n\n## v0.1.0\n\n- all: begin.\n")
				l.change("operator", "v0.2.0")
			},
			want: `the first section of CHANGELOG.md, "v0.2.0", says nothing`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLittle(t)
			tc.change(l)
			folder := filepath.Join(t.TempDir(), "release")
			_, err := release.Write(t.Context(), release.Options{Clone: l.folder, Folder: folder})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s. Want %q, got %v", tc.reason, tc.want, err)
			}
			if _, err := os.Stat(folder); err == nil {
				t.Errorf("%s was written", folder)
			}
		})
	}
}

// TestFolderInUse: what somebody left in the folder is not published with the release.
func TestFolderInUse(t *testing.T) {
	l := newLittle(t)
	l.change("library", "v0.1.1")
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "mine.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := release.Write(t.Context(), release.Options{Clone: l.folder, Folder: folder})
	if err == nil || !strings.Contains(err.Error(), "remove mine.txt") {
		t.Errorf("got %v", err)
	}
}

func TestParsePlatform(t *testing.T) {
	if got, err := release.ParsePlatform("darwin/arm64"); err != nil || got != (release.Platform{OS: "darwin", Architecture: "arm64"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "linux", "linux/riscv64", "windows/amd64", "linux-amd64"} {
		if got, err := release.ParsePlatform(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
