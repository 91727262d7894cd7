package chart_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A schema is as much of a JSON schema as the tests look at.
type schema struct {
	Type                 any
	AdditionalProperties any
	Properties           map[string]*schema
	PatternProperties    map[string]*schema
	Items                *schema
}

func valuesSchema(t *testing.T) *schema {
	t.Helper()
	all := &schema{}
	if err := json.Unmarshal(load(t).Schema, all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOptionsAreTheOperators: values.schema.json has each flag and each variable of the operator's
// README, but for those that the chart sets itself, and no other.
func TestOptionsAreTheOperators(t *testing.T) {
	all := valuesSchema(t)
	for _, tc := range []struct {
		heading, name, value string
		chart                []string // what the chart sets, or must not be set in a pod
	}{{
		heading: "Flags", name: `--([a-z-]+)`, value: "flags",
		chart: []string{"health-probe-bind-address", "kubeconfig", "leader-elect", "leader-election-namespace",
			"metrics-bind-address", "page-audiences", "page-bind-address", "page-cert-dir", "page-proxy-ca", "page-proxy-names",
			"placement-config", "plugin-dir"},
	}, {
		heading: "Environment", name: `([A-Z_]+)`, value: "env",
		chart: []string{"KUBEVIRT_CONFIGS_NAMESPACE"},
	}} {
		want := documented(t, tc.heading, regexp.MustCompile("`"+tc.name+"`"))
		got := slices.Sorted(maps.Keys(all.Properties[tc.value].Properties))
		got = append(got, tc.chart...)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -operator/README.md +values.schema.json and chart:\n%s", tc.heading, diff)
		}
	}
}

// documented are the names in the first column of the table below a heading of operator/README.md.
func documented(t *testing.T, heading string, name *regexp.Regexp) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "operator", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var all []string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		column, _, _ := strings.Cut(line[2:], " |")
		for _, match := range name.FindAllStringSubmatch(column, -1) {
			all = append(all, match[1])
		}
	}
	if len(all) < 10 {
		t.Fatalf("%d names under %s: the test looked at nothing", len(all), heading)
	}
	slices.Sort(all)
	return all
}

// TestSchemaIsWhole: each value of values.yaml stands in the schema, each of the schema in
// values.yaml, and no object of ours takes a name that is not known.
func TestSchemaIsWhole(t *testing.T) {
	var walk func(path string, of *schema, defaults any)
	seen := 0
	walk = func(path string, of *schema, defaults any) {
		seen++
		if of.Type == "object" && len(of.Properties) > 0 && of.AdditionalProperties != false {
			t.Errorf("%s takes unknown names", path)
		}
		values, isMap := defaults.(map[string]any)
		if path == "/flags" || path == "/env" || !isMap || len(of.Properties) == 0 {
			return
		}
		for name, property := range of.Properties {
			value, found := values[name]
			if resources := name == "limits" || name == "requests" || name == "claims"; !found && !resources && name != "global" {
				t.Errorf("values.yaml does not show %s/%s", path, name)
			}
			walk(path+"/"+name, property, value)
		}
	}
	walk("", valuesSchema(t), load(t).Values)
	if seen < 40 {
		t.Errorf("%d values: the test looked at nothing", seen)
	}
}

// TestEachValueIsExplained: a value whose meaning is not said is one that people guess.
func TestEachValueIsExplained(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "deploy", "chart", "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := strings.Split(string(content), "\n\n")
	if len(paragraphs) < 15 {
		t.Fatalf("%d paragraphs: the test looked at nothing", len(paragraphs))
	}
	for _, paragraph := range paragraphs {
		if !strings.Contains(paragraph, "# ") {
			t.Errorf("values.yaml does not explain\n%s", paragraph)
		}
	}
}
