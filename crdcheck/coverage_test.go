package crdcheck_test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// probe is one line of testdata/coverage.txt.
type probe struct {
	line       int
	field      string
	edits      []string
	old, found string
	want       []string
	waived     string
}

func probes(t *testing.T) []probe {
	t.Helper()
	content, err := os.ReadFile("testdata/coverage.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []probe
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		head, body, found := strings.Cut(line, ": ")
		words := strings.Fields(head)
		p := probe{line: number, field: words[0], edits: words[1:]}
		if reason, waived := strings.CutPrefix(body, "waived "); waived {
			p.waived = reason
		} else {
			schemas, rules, _ := strings.Cut(body, " = ")
			p.old, p.found, found = strings.Cut(schemas, " -> ")
			p.want = strings.Fields(rules)
			slices.Sort(p.want)
		}
		if !found || p.waived == "" && len(p.want) == 0 {
			t.Fatalf("line %d says neither what changes nor why it need not be looked at", number)
		}
		all = append(all, p)
	}
	return all
}

// schemaFields are the fields of a schema, which Kubernetes may add to.
func schemaFields() []string {
	var fields []string
	for i := range reflect.TypeFor[apiextensionsv1.JSONSchemaProps]().NumField() {
		fields = append(fields, reflect.TypeFor[apiextensionsv1.JSONSchemaProps]().Field(i).Name)
	}
	return fields
}

// TestCoverage holds the map of what is compared to the API: a field that Kubernetes adds to
// schemas, or a way to edit one, that no line claims or waives fails here, as does a line that
// names what is not there.
func TestCoverage(t *testing.T) {
	edits := []string{"add", "remove", "tighten", "loosen", "change"}
	claimed := map[string]bool{}
	fields := schemaFields()
	for _, p := range probes(t) {
		if !slices.Contains(fields, p.field) {
			t.Errorf("line %d: schemas have no field %s", p.line, p.field)
		}
		for _, edit := range p.edits {
			if !slices.Contains(edits, edit) {
				t.Errorf("line %d: %q is no way to edit", p.line, edit)
			}
			claimed[p.field+" "+edit] = true
		}
	}
	for _, field := range fields {
		for _, edit := range edits {
			if !claimed[field+" "+edit] {
				t.Errorf("nothing looks at %s %s", field, edit)
			}
		}
	}
}

// TestCoverageHolds compares what each line of the map says, and finds just the rules that it
// names.
func TestCoverageHolds(t *testing.T) {
	var shown bytes.Buffer
	for _, p := range probes(t) {
		if p.waived != "" {
			continue
		}
		report := crdcheck.Compare(probed(t, "old", p.old), probed(t, "new", p.found), crdcheck.Options{})
		var got []string
		for _, f := range report.Findings {
			got = append(got, string(f.Rule))
		}
		slices.Sort(got)
		if diff := cmp.Diff(p.want, got); diff != "" {
			t.Errorf("line %d, %s: -want +got:\n%s%+v", p.line, p.field, diff, report.Findings)
		}
		show(t, &shown, fmt.Sprintf("%s %s", p.field, strings.Join(p.edits, " ")), report)
		for _, same := range []string{p.old, p.found} {
			report := crdcheck.Compare(probed(t, "old", same), probed(t, "new", same), crdcheck.Options{})
			if len(report.Findings) > 0 {
				t.Errorf("line %d: %s differs from itself: %+v", p.line, same, report.Findings)
			}
		}
	}
	golden(t, "testdata/coverage.want.txt", shown.Bytes())
}

// TestCoverageOfWaivers adds each waived field that can be written and finds nothing.
func TestCoverageOfWaivers(t *testing.T) {
	for _, keyword := range []string{
		"id: a", "$schema: a", "description: a", "title: a", "example: {a: b}", "externalDocs: {url: a}",
	} {
		report := crdcheck.Compare(
			probed(t, "old", "{type: object}"), probed(t, "new", "{type: object, "+keyword+"}"), crdcheck.Options{},
		)
		if len(report.Findings) > 0 {
			t.Errorf("%s makes a difference: %+v", keyword, report.Findings)
		}
	}
}

func probed(t *testing.T, cluster, schema string) crdcheck.Snapshot {
	t.Helper()
	var props apiextensionsv1.JSONSchemaProps
	if err := yaml.Unmarshal([]byte(schema), &props); err != nil {
		t.Fatal(err)
	}
	crd := *optional(t).DeepCopy()
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["size"] = props
	return crdcheck.Observed(cluster, crd)
}

var optionalSize *apiextensionsv1.CustomResourceDefinition

// optional is the definition of widgets of which the size is not required, read once.
func optional(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	if optionalSize == nil {
		crd := widget(t, "[size, colour]", "[colour]")
		optionalSize = &crd
	}
	return optionalSize
}
