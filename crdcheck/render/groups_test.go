package render_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// TestSharedSchemas: a schema that stands below many fields changes once, and is told once.
func TestSharedSchemas(t *testing.T) {
	report := crdcheck.Report{Subjects: []crdcheck.Subject{{CRD: "boats.harbour.example", Cluster: "new", Baseline: "old"}}}
	for i := range 12 {
		for _, name := range []string{"mast", "sail"} {
			f := crdcheck.RuleFieldRemoved.Finding(crdcheck.Write)
			f.CRD, f.Cluster, f.Version = "boats.harbour.example", "new", "v1"
			f.Path, f.Old, f.New = fmt.Sprintf("spec.crew%d.%s", i, name), `{"type":"string"}`, "absent"
			report.Findings = append(report.Findings, f)
		}
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text": func(b *bytes.Buffer) error { return render.Text(b, report) },
		"all":  func(b *bytes.Buffer) error { return render.Colored(b, render.Document{Report: report}, false) },
		"markdown": func(b *bytes.Buffer) error {
			return render.Markdown(b, render.Document{Question: "compare", Report: report})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			text := got.String()
			if lines := strings.Count(text, "field removed"); lines != 2 {
				t.Errorf("want two lines about removed fields, got %d:\n%s", lines, text)
			}
			if strings.Contains(text, "and 2") {
				t.Errorf("some are not shown:\n%s", text)
			}
			for i := range 12 {
				if n := strings.Count(text, fmt.Sprintf("spec.crew%d.mast", i)); n != 1 && i > 0 {
					t.Errorf("path %d is told %d times:\n%s", i, n, text)
				}
			}
		})
	}
	if diff := cmp.Diff(map[crdcheck.Severity]int{crdcheck.Error: 24}, report.Counts()); diff != "" {
		t.Errorf("each counts: -want +got:\n%s", diff)
	}
}
