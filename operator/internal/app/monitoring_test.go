package app

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestMonitoringNamesMetricsThatExist: an alert on a metric that is called otherwise never fires,
// and nobody notices.
func TestMonitoringNamesMetricsThatExist(t *testing.T) {
	known := documented(t, "Metrics", 0, 0)
	for _, name := range slices.Collect(maps.Keys(known)) {
		known.add(name + "_bucket")
		known.add(name + "_count")
	}
	ours := regexp.MustCompile(`\b(operator|clientmgr|placement)_[a-z_]+`)
	for _, file := range []string{"rules.yaml", "fleet.json", "operator.json"} {
		content, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "monitoring", file))
		if err != nil {
			t.Fatal(err)
		}
		names := ours.FindAllString(string(content), -1)
		if len(names) == 0 {
			t.Errorf("%s names no metric: the test looked at nothing", file)
		}
		for _, name := range names {
			if _, found := known[name]; !found {
				t.Errorf("%s names the metric %s, which README.md does not know", file, name)
			}
		}
	}
}
