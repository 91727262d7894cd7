package browser

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxAssets is the size of all that the page brings, in bytes.
const maxAssets = 100 << 10

// TestAssets: they are small, and bring nothing from elsewhere.
func TestAssets(t *testing.T) {
	files, err := filepath.Glob("../assets/*")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	size := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		size += len(content)
		text := strings.ReplaceAll(string(content), "http://www.w3.org/2000/svg", "")
		if found := regexp.MustCompile(`(?i)https?:|//[a-z]+\.|@import|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|url\(| on[a-z]+=`).
			FindString(text); found != "" {
			t.Errorf("%s has %q", file, found)
		}
	}
	t.Logf("%d files, %d bytes", len(files), size)
	if size > maxAssets {
		t.Errorf("they have %d bytes, and may have %d", size, maxAssets)
	}
}
