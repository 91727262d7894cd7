package plan_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// clone is a little repository of a test: store, which others require; app, which requires store;
// and store/disk, a module in the folder of another.
type clone struct {
	t      *testing.T
	folder string
}

const prefix = "example.test/house/"

func newClone(t *testing.T) *clone {
	t.Helper()
	c := &clone{t: t, folder: t.TempDir()}
	c.git("init", "-q", "-b", "main")
	c.write("versions.yaml", "modules:\n  app: v0.1.0\n  store: v0.1.0\n  store/disk: v0.1.0\n")
	c.write("store/go.mod", "module "+prefix+"store\n\ngo 1.26.0\n")
	c.write("store/store.go", "// Package store keeps things.\npackage store\n\n// Get gets.\nfunc Get(key string) string { return key }\n")
	c.write("store/internal/far/far.go", "package far\n\n// Away is nobody's business.\nfunc Away() {}\n")
	c.write("store/disk/go.mod", "module "+prefix+"store/disk\n\ngo 1.26.0\n")
	c.write("store/disk/disk.go", "package disk\n")
	c.write("app/go.mod", "module "+prefix+"app\n\ngo 1.26.0\n\nrequire "+prefix+"store v0.1.0\n\nreplace "+prefix+"store => ../store\n")
	c.write("app/main.go", "package main\n\nimport \""+prefix+"store\"\n\nfunc main() { store.Get(\"\") }\n")
	c.commit("all: begin")
	return c
}

// git runs a git command that no configuration of a person changes.
func (c *clone) git(args ...string) {
	c.t.Helper()
	command := exec.CommandContext(c.t.Context(), "git", append([]string{"-C", c.folder}, args...)...)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.test", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.test",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z")
	if output, err := command.CombinedOutput(); err != nil {
		c.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, output)
	}
}

func (c *clone) write(path, content string) {
	c.t.Helper()
	path = filepath.Join(c.folder, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// replace changes a text of a file, which must be there.
func (c *clone) replace(path, before, after string) {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(c.folder, path))
	if err != nil {
		c.t.Fatal(err)
	}
	if !strings.Contains(string(content), before) {
		c.t.Fatalf("%s has no %q", path, before)
	}
	c.write(path, strings.ReplaceAll(string(content), before, after))
}

func (c *clone) commit(subject string) {
	c.t.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "-m", subject)
}

// tagAll makes the tags of the first release.
func (c *clone) tagAll() {
	c.t.Helper()
	for _, module := range []string{"app", "store", "store/disk"} {
		c.git("tag", "-m", "release", module+"/v0.1.0")
	}
}

// raise gives a module a version, and requires it where it was required.
func (c *clone) raise(module, version string) {
	c.t.Helper()
	c.replace("versions.yaml", "  "+module+": v0.1.0\n", "  "+module+": "+version+"\n")
	if module == "store" {
		c.replace("app/go.mod", "require "+prefix+"store v0.1.0", "require "+prefix+"store "+version)
	}
}
