package documents_test

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// copied are the READMEs whose Go code readers copy, and how many blocks each has.
var copied = map[string]int{"placement/README.md": 3, "placement/host/README.md": 1, "placement-plugins/README.md": 1}

// TestGoCodeRuns holds each block of Go code of those READMEs to be a whole file, imports included,
// that the tests of its module run: a program below examples, or an Example with its output.
func TestGoCodeRuns(t *testing.T) {
	for document, want := range copied {
		blocks := goBlock.FindAllStringSubmatch(read(t, document), -1)
		if len(blocks) != want {
			t.Errorf("%s has %d blocks of Go code, want %d", document, len(blocks), want)
		}
		run := runFiles(t, path.Dir(document))
		for _, block := range blocks {
			if !run[block[1]] {
				t.Errorf("%s shows code that is no file in examples and no example_test.go below %s:\n%s",
					document, path.Dir(document), block[1])
			}
		}
	}
}

// runFiles are the texts of the files below a folder that its tests run.
func runFiles(t *testing.T, folder string) map[string]bool {
	t.Helper()
	texts := map[string]bool{}
	for _, name := range files(t, ".go", 300) {
		text := read(t, name)
		example := path.Base(name) == "example_test.go" && strings.Contains(text, "// Output:")
		if example && strings.HasPrefix(name, folder+"/") || strings.HasPrefix(name, folder+"/examples/") {
			texts[text] = true
		}
	}
	return texts
}
