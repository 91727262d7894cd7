package soak

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiles: what a run showed is kept as JSON, and as a picture that names each size.
func TestFiles(t *testing.T) {
	result := &Result{Samples: samplesOf(func(at float64, _ *rand.Rand) float64 { return 300 + at }),
		Troubles: []happened{{Name: "kill of cluster-east", From: 40, To: 60}}}
	folder := t.TempDir()
	picture, file := filepath.Join(folder, "soak.svg"), filepath.Join(folder, "soak.json")
	if err := result.Draw(picture); err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	for _, series := range AllSeries {
		if !strings.Contains(string(drawn), string(series)) {
			t.Errorf("the picture does not name %s", series)
		}
	}
	if err := result.Save(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var read Result
	err = json.Unmarshal(text, &read)
	if err != nil || len(read.Samples) != len(result.Samples) || len(read.Troubles) != 1 {
		t.Errorf("%d samples are read: %v", len(read.Samples), err)
	}
}
