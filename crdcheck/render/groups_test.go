package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render/sarif"
)

// fleetOfCrews is a report in which two fields are gone from a schema that stands below twelve.
func fleetOfCrews() crdcheck.Report {
	report := crdcheck.Report{Subjects: []crdcheck.Subject{{CRD: "boats.harbour.example", Cluster: "new", Baseline: "old"}}}
	for i := range 12 {
		for _, name := range []string{"mast", "sail"} {
			f := crdcheck.RuleFieldRemoved.Finding(crdcheck.Write)
			f.CRD, f.Cluster, f.Version = "boats.harbour.example", "new", "v1"
			f.Path, f.Old, f.New = fmt.Sprintf("spec.crew%d.%s", i, name), `{"type":"string"}`, "absent"
			report.Findings = append(report.Findings, f)
		}
	}
	return report
}

// TestSharedSchemas: a schema that stands below many fields changes once, and is told once.
func TestSharedSchemas(t *testing.T) {
	report := fleetOfCrews()
	for name, write := range map[string]func(*bytes.Buffer) error{
		"text": func(b *bytes.Buffer) error { return render.Text(b, report) },
		"all":  func(b *bytes.Buffer) error { return render.Colored(b, render.Document{Report: report}, false) },
		"markdown": func(b *bytes.Buffer) error {
			return render.Markdown(b, render.Document{Question: "compare", Report: report})
		},
		"github": func(b *bytes.Buffer) error { return render.GitHub(b, render.Document{Report: report}) },
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
	var all bytes.Buffer
	if err := render.Colored(&all, render.Document{Report: report}, false); err != nil {
		t.Fatal(err)
	}
	if last := "\n2 errors at 24 paths\n"; !strings.HasSuffix(all.String(), last) {
		t.Errorf("want %q at the end:\n%s", last, all.String())
	}
	if diff := cmp.Diff(map[crdcheck.Severity]int{crdcheck.Error: 24}, report.Counts()); diff != "" {
		t.Errorf("each counts: -want +got:\n%s", diff)
	}
}

// TestGroupsForPrograms: one entry for programs too, which keeps every path and fingerprint, so that
// each can be found again, or ignored, by itself.
func TestGroupsForPrograms(t *testing.T) {
	report := fleetOfCrews()
	d := render.Document{Question: "compare", At: map[render.Place]render.Position{}}
	d.At[render.PlaceOf(report.Subjects[0])] = render.Position{File: "boats.yaml", Line: 3}
	for i, f := range report.Findings { // the masts of three crews are ignored
		if i%2 == 0 && i < 6 {
			d.Ignored = append(d.Ignored, render.Ignored{Finding: f, Owner: "me", Expires: "2999-12-31", Reason: "motors"})
			continue
		}
		d.Report.Findings = append(d.Report.Findings, f)
	}
	d.Report.Subjects = report.Subjects
	want := []map[string]string{crews("mast", 3, 12), crews("sail", 0, 12), crews("mast", 0, 3)}
	for path := range want[0] {
		for _, f := range report.Findings {
			if f.Path == path && f.Fingerprint() != want[0][path] {
				t.Fatalf("fingerprint of %s", path)
			}
		}
	}
	for name, groups := range map[string]func(*testing.T, render.Document) []map[string]string{
		"JSON": jsonGroups, "SARIF": sarifGroups, "JUnit": junitGroups,
	} {
		t.Run(name, func(t *testing.T) {
			got := groups(t, d)
			byFirst := func(a, b map[string]string) int { return len(a) - len(b) }
			slices.SortFunc(got, byFirst)
			slices.SortFunc(want, byFirst)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("fingerprints by path, group by group: -want +got:\n%s", diff)
			}
		})
	}
}

// crews returns the fingerprints of one field of some crews, by path.
func crews(field string, from, to int) map[string]string {
	all := map[string]string{}
	for _, f := range fleetOfCrews().Findings {
		for i := from; i < to; i++ {
			if f.Path == fmt.Sprintf("spec.crew%d.%s", i, field) {
				all[f.Path] = f.Fingerprint()
			}
		}
	}
	return all
}

func jsonGroups(t *testing.T, d render.Document) []map[string]string {
	type finding struct {
		Path, Fingerprint string
		Also              []struct{ Path, Fingerprint string }
	}
	var (
		text   bytes.Buffer
		report struct {
			Counts            map[string]int
			Findings, Ignored []finding
		}
		all []map[string]string
	)
	if err := render.JSON(&text, d); err != nil {
		t.Fatal(err)
	}
	validJSON(t, text.Bytes())
	if err := json.Unmarshal(text.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	if report.Counts["error"] != 21 {
		t.Errorf("each path counts: %v", report.Counts)
	}
	for _, f := range append(report.Findings, report.Ignored...) {
		group := map[string]string{f.Path: f.Fingerprint}
		for _, other := range f.Also {
			group[other.Path] = other.Fingerprint
		}
		all = append(all, group)
	}
	return all
}

func sarifGroups(t *testing.T, d render.Document) []map[string]string {
	report := sarif.Report(d)
	if err := report.Validate(); err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, r := range report.Runs[0].Results {
		fingerprints, isList := r.Properties.Properties["crdcheck/v1"].([]string)
		locations := append(slices.Clone(r.Locations), r.RelatedLocations...)
		if !isList || len(fingerprints) != len(locations) || fingerprints[0] != r.PartialFingerprints["crdcheck/v1"] {
			t.Fatalf("%d locations, fingerprints %v, the result's %v", len(locations), fingerprints, r.PartialFingerprints)
		}
		group := map[string]string{}
		for i, at := range locations {
			if *at.PhysicalLocation.ArtifactLocation.URI != "boats.yaml" || *at.PhysicalLocation.Region.StartLine != 3 {
				t.Errorf("a location elsewhere: %+v", at.PhysicalLocation)
			}
			_, path, _ := strings.Cut(*at.LogicalLocations[0].FullyQualifiedName, "#")
			group[path] = fingerprints[i]
		}
		all = append(all, group)
	}
	return all
}

func junitGroups(t *testing.T, d render.Document) []map[string]string {
	var text bytes.Buffer
	if err := render.JUnit(&text, d); err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Tests   int `xml:"tests,attr"`
		Skipped int `xml:"skipped,attr"`
		Cases   []struct {
			Name    string `xml:"name,attr"`
			Failure string `xml:"failure"`
			Skipped string `xml:"skipped"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(text.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	if suites.Tests != 3 || suites.Skipped != 1 {
		t.Errorf("%d tests, %d skipped", suites.Tests, suites.Skipped)
	}
	var all []map[string]string
	for _, c := range suites.Cases {
		words := strings.Fields(c.Name) // VERSION PATH RULE FINGERPRINT
		group := map[string]string{words[1]: words[3]}
		for line := range strings.Lines(c.Failure + c.Skipped) {
			if path, fingerprint, found := strings.Cut(strings.TrimSpace(line), " "); found && strings.HasPrefix(path, "spec.") {
				group[path] = fingerprint
			}
		}
		all = append(all, group)
	}
	return all
}
