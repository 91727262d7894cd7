package documents_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// repository is the top of the working copy.
func repository() fs.FS { return os.DirFS("testdata/repository") }

// skipped are folders without documents or code of ours.
var skipped = []string{".git", "node_modules", "bin", "testdata"}

// files returns the paths of all files whose names end in suffix, and fails if there are fewer than least: then it looked in the
// wrong place.
func files(t *testing.T, suffix string, least int) []string {
	t.Helper()
	var found []string
	err := fs.WalkDir(repository(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(skipped, path.Base(name)):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, suffix):
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < least {
		t.Fatalf("%d files end in %s, want at least %d: the test looked at nothing", len(found), suffix, least)
	}
	return found
}

// read returns the text of a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	content, err := fs.ReadFile(repository(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// exists reports whether the repository has a file or folder of this path.
func exists(name string) bool {
	_, err := fs.Stat(repository(), name)
	return err == nil
}
