// Package sarif writes reports as SARIF 2.1.0 (OASIS), which code scanning services show. It is
// apart from package render because the library that it rests on is not small.
package sarif

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// home is where people read more.
const home = "https://github.com/vitistack/kubevirt-multicluster/tree/main/crdcheck"

// fingerprintName names our fingerprints among those of other tools.
const fingerprintName = "crdcheck/v1"

// Report returns the document as a SARIF report, with a result for each group of findings. Ignored
// findings are suppressed results.
func Report(d render.Document) *sarif.Report {
	run := sarif.NewRunWithInformationURI("crdcheck", home)
	if d.Version != "" {
		run.Tool.Driver.WithVersion(d.Version)
	}
	index := map[crdcheck.RuleID]int{}
	for i, rule := range crdcheck.Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarif.NewReportingDescriptor().WithID(string(rule.ID)).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(rule.Why)).WithHelpURI(home+"/RULES.md"))
	}
	for _, group := range crdcheck.Groups(d.Report.Findings) {
		run.AddResult(result(d, group, index[group.Rule]))
	}
	for _, i := range d.GroupsOfIgnored() {
		suppressed := result(d, i.Group, index[i.Rule])
		suppressed.Suppressions = []*sarif.Suppression{
			sarif.NewSuppression().WithKind("external").WithJustification(
				fmt.Sprintf("%s, until %s: %s", i.Owner, i.Expires, i.Reason),
			),
		}
		run.AddResult(suppressed)
	}
	return sarif.NewReport().AddRun(run)
}

// result is a group. The same at other paths is a related location, and the fingerprints of all
// paths, in their order, are a property: tools that match results use the first one.
func result(d render.Document, group crdcheck.Group, rule int) *sarif.Result {
	levels := map[crdcheck.Severity]string{
		crdcheck.Error:     sarif.LevelError,
		crdcheck.Warning:   sarif.LevelWarning,
		crdcheck.Unsettled: sarif.LevelWarning,
		crdcheck.Info:      sarif.LevelNote,
	}
	f := group.Finding
	r := sarif.NewRuleResult(string(f.Rule)).WithLevel(levels[f.Severity()]).
		WithMessage(sarif.NewTextMessage(render.Message(group))).
		WithLocations([]*sarif.Location{location(d, f)}).
		WithPartialFingerprints(map[string]string{fingerprintName: f.Fingerprint()})
	r.RuleIndex = rule
	fingerprints := []string{f.Fingerprint()}
	for i, other := range group.Also {
		fingerprints = append(fingerprints, other.Fingerprint())
		r.RelatedLocations = append(
			r.RelatedLocations, location(d, other).WithID(i+1).WithMessage(sarif.NewTextMessage("the same at "+other.Path)),
		)
	}
	if len(group.Also) > 0 {
		r.WithProperties(sarif.NewPropertyBag().Add(fingerprintName, fingerprints))
	}
	return r
}

// location is a finding's file and line, and the path in the definition or the object.
func location(d render.Document, f crdcheck.Finding) *sarif.Location {
	name := f.CRD
	if f.Object != "" {
		name += "/" + f.Object
	}
	if f.Path != "" {
		name += "#" + f.Path
	}
	uri, line := artifact(d, f)
	return sarif.NewLocation().WithLogicalLocations(
		[]*sarif.LogicalLocation{sarif.NewLogicalLocation().WithFullyQualifiedName(name).WithKind("member")},
	).WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewArtifactLocation().WithURI(uri)).
		WithRegion(sarif.NewRegion().WithStartLine(line)))
}

// artifact is the file of a finding, as a reference relative to the working folder, and the line.
// GitHub's code scanning refuses results without a file. What is about a cluster alone gets the
// cluster's name and the definition's in place of a file.
func artifact(d render.Document, f crdcheck.Finding) (string, int) {
	at, found := d.Position(f)
	if !found {
		at = render.Position{File: f.Cluster + "/" + f.CRD, Line: 1}
	}
	file := url.URL{Path: filepath.ToSlash(at.File)}
	return file.String(), at.Line
}

// Write writes the document as SARIF, indented, without what says nothing: empty lists, and the -1
// that stands for a number that is not known. Errors are those of w.
func Write(w io.Writer, d render.Document) error {
	encoded, err := json.Marshal(Report(d))
	if err != nil {
		return err
	}
	var report any
	if err := json.Unmarshal(encoded, &report); err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(withoutEmpty(report))
}

// withoutEmpty drops empty values of objects, but for the list of results: an empty one says that
// nothing was found.
func withoutEmpty(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
	case map[string]any:
		for name, child := range v {
			if v[name] = withoutEmpty(child); name != "results" && isEmpty(v[name]) {
				delete(v, name)
			}
		}
	}
	return value
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case float64:
		return v == -1
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	default:
		return false
	}
}
