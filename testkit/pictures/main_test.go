package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const measured = `{"processors": 2, "go": "go1.26", "rows": [
  {"name": "creation", "value": 1.1, "unit": "x", "bound": 1.15, "pass": true, "samples": [1, 1.1, 1.2]},
  {"name": "heap", "value": 7, "unit": "KiB", "bound": 6, "pass": false, "samples": [7]}
]}`

// TestPictures: each row is in one picture by its name, a row that misses in another colour, and
// the same file gives the same bytes.
func TestPictures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bench.json")
	if err := os.WriteFile(file, []byte(measured), 0o600); err != nil {
		t.Fatal(err)
	}
	draw := func(into string) (times, shares string) {
		t.Helper()
		if err := command([]string{file, filepath.Join(dir, into)}); err != nil {
			t.Fatal(err)
		}
		return read(t, filepath.Join(dir, into, "times.svg")), read(t, filepath.Join(dir, into, "shares.svg"))
	}
	times, shares := draw("a")
	if !strings.Contains(times, "creation") || strings.Contains(times, "heap") {
		t.Error("times.svg has the ratio, and nothing else")
	}
	if !strings.Contains(shares, "heap (7 of 6 KiB)") {
		t.Error("shares.svg says what heap is of its bound")
	}
	const miss = "#C44E20"
	if strings.Contains(times, miss) || !strings.Contains(shares, miss) {
		t.Error("what misses its bound, and nothing else, has another colour")
	}
	if _, err := os.Stat(filepath.Join(dir, "a", "counts.svg")); !os.IsNotExist(err) {
		t.Errorf("a picture without rows is not drawn: %v", err)
	}
	if again, _ := draw("b"); again != times {
		t.Error("the same rows give another picture")
	}
}

func TestNoRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(file, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := command([]string{file, t.TempDir()}); err == nil {
		t.Error("a file without rows draws nothing, and says nothing")
	}
}

// TestCommitted: the page and the pictures of the repository show the rows that are committed beside
// them.
func TestCommitted(t *testing.T) {
	const committed = "../../docs/bench"
	dir := t.TempDir()
	if err := command([]string{filepath.Join(committed, "bench.json"), dir}); err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range drawn {
		if read(t, filepath.Join(dir, file.Name())) != read(t, filepath.Join(committed, file.Name())) {
			t.Errorf("%s shows other rows than bench.json: run make pictures", file.Name())
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
