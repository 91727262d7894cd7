package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render/sarif"
)

// everything is a document with a finding of every rule, one that is ignored, notes, and texts that
// each format has to escape.
func everything() render.Document {
	d := render.Document{
		Question: "compare",
		Notes:    []string{"ignores[0] | <b>\nis over"},
		At:       map[render.Place]render.Position{},
	}
	var findings []crdcheck.Finding
	for i, rule := range crdcheck.Rules() {
		direction := []crdcheck.Direction{crdcheck.Write, crdcheck.Read, crdcheck.Roundtrip, crdcheck.Storage}[i%4]
		findings = append(findings, crdcheck.Finding{
			Rule: rule.ID, Effect: rule.Effect, Direction: direction, Cluster: "east", CRD: "widgets.example.com", Version: "v1",
			Path: `spec["a|b"].c`, Old: `"<a> & \n b"`, New: strings.Repeat("long ", 100), Why: rule.Why,
		})
	}
	d.Report = crdcheck.NewReport(
		[]crdcheck.Subject{{CRD: "widgets.example.com", Cluster: "east", Baseline: "west"}}, findings,
	)
	d.Ignored = []render.Ignored{{Finding: findings[0], Owner: "me", Expires: "2026-12-31", Reason: "because"}}
	d.PassedOver = []string{"1 object | <of>\na kind"}
	d.At[render.Place{Cluster: "east", CRD: "widgets.example.com"}] = render.Position{File: "crds, all.yaml", Line: 12}
	return d
}

// validJSON holds a report to the published schema.
func validJSON(t *testing.T, report []byte) {
	t.Helper()
	schema := gojsonschema.NewReferenceLoader("file://./report.schema.json")
	result, err := gojsonschema.Validate(schema, gojsonschema.NewBytesLoader(report))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range result.Errors() {
		t.Error(fault)
	}
}

func TestJSONFollowsItsSchema(t *testing.T) {
	for label, d := range map[string]render.Document{"Everything": everything(), "Nothing": {Question: "fleet"}} {
		var text bytes.Buffer
		if err := render.JSON(&text, d); err != nil {
			t.Fatal(err)
		}
		t.Run(label, func(t *testing.T) { validJSON(t, text.Bytes()) })
	}
	schema := gojsonschema.NewReferenceLoader("file://./report.schema.json")
	result, err := gojsonschema.Validate(
		schema, gojsonschema.NewStringLoader(`{"kind": "Report", "findings": [{"rule": "X"}]}`),
	)
	if err != nil || result.Valid() {
		t.Errorf("the schema refuses nothing: %v", err)
	}
}

func TestYAMLIsJSON(t *testing.T) {
	var asJSON, asYAML bytes.Buffer
	if err := render.JSON(&asJSON, everything()); err != nil {
		t.Fatal(err)
	}
	if err := render.YAML(&asYAML, everything()); err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal(asJSON.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(asYAML.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-JSON +YAML:\n%s", diff)
	}
}

func TestSARIFIsValid(t *testing.T) {
	nowhere := everything()
	nowhere.At = nil
	documents := map[string]render.Document{
		"Everything": everything(), "Nothing": {Question: "fleet"}, "NoFiles": nowhere,
	}
	for label, d := range documents {
		if err := sarif.Report(d).Validate(); err != nil {
			t.Errorf("%s: %v", label, err)
		}
		// GitHub's code scanning refuses a result without a file.
		for _, r := range sarif.Report(d).Runs[0].Results {
			if at := r.Locations[0].PhysicalLocation; at == nil || *at.ArtifactLocation.URI == "" {
				t.Errorf("%s: %s has no file", label, *r.RuleID)
			}
		}
	}
	report := sarif.Report(everything())
	results := report.Runs[0].Results
	if len(results) != len(crdcheck.Rules())+1 {
		t.Errorf("%d results of %d rules and one that is ignored", len(results), len(crdcheck.Rules()))
	}
	for _, r := range results {
		if *report.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != *r.RuleID {
			t.Errorf("%s has the index of %s", *r.RuleID, *report.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID)
		}
	}
}

// TestFormatsEscape: what a definition's author wrote must not become markup, a workflow command or
// a broken table.
func TestFormatsEscape(t *testing.T) {
	d := everything()
	var junit, github, markdown bytes.Buffer
	for _, err := range []error{render.JUnit(&junit, d), render.GitHub(&github, d), render.Markdown(&markdown, d)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	decoder := xml.NewDecoder(&junit)
	for {
		token, err := decoder.Token()
		if token == nil {
			if err != nil && err.Error() != "EOF" {
				t.Errorf("JUnit: %v", err)
			}
			break
		}
	}
	for line := range strings.Lines(github.String()) {
		if !strings.HasPrefix(line, "::") {
			t.Errorf("GitHub: a line that is no command: %q", line)
		}
	}
	for line := range strings.Lines(markdown.String()) {
		if strings.HasPrefix(line, "| ") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 6 ||
			strings.Contains(line, "<") {
			t.Errorf("Markdown: %q", line)
		}
	}
}
