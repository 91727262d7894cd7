// Package sarif writes reports as SARIF 2.1.0 (OASIS), which code scanning services show. It is
// apart from package render because the library that it rests on is not small.
package sarif

import (
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

// Report returns the document as a SARIF report. Ignored findings are suppressed results.
func Report(d render.Document) *sarif.Report {
	run := sarif.NewRunWithInformationURI("crdcheck", home)
	index := map[crdcheck.RuleID]int{}
	for i, rule := range crdcheck.Rules() {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarif.NewReportingDescriptor().WithID(string(rule.ID)).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(rule.Why)).WithHelpURI(home+"/RULES.md"))
	}
	for _, f := range d.Report.Findings {
		run.AddResult(result(d, f, index[f.Rule]))
	}
	for _, i := range d.Ignored {
		suppressed := result(d, i.Finding, index[i.Rule])
		suppressed.Suppressions = []*sarif.Suppression{
			sarif.NewSuppression().WithKind("external").WithJustification(
				fmt.Sprintf("%s, until %s: %s", i.Owner, i.Expires, i.Reason),
			),
		}
		run.AddResult(suppressed)
	}
	return sarif.NewReport().AddRun(run)
}

func result(d render.Document, f crdcheck.Finding, rule int) *sarif.Result {
	levels := map[crdcheck.Severity]string{
		crdcheck.Error:     sarif.LevelError,
		crdcheck.Warning:   sarif.LevelWarning,
		crdcheck.Unsettled: sarif.LevelWarning,
		crdcheck.Info:      sarif.LevelNote,
	}
	name := f.CRD
	if f.Object != "" {
		name += "/" + f.Object
	}
	if f.Path != "" {
		name += "#" + f.Path
	}
	uri, line := artifact(d, f)
	location := sarif.NewLocation().WithLogicalLocations(
		[]*sarif.LogicalLocation{sarif.NewLogicalLocation().WithFullyQualifiedName(name).WithKind("member")},
	).WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewArtifactLocation().WithURI(uri)).
		WithRegion(sarif.NewRegion().WithStartLine(line)))
	r := sarif.NewRuleResult(string(f.Rule)).WithLevel(levels[f.Severity()]).
		WithMessage(sarif.NewTextMessage(fmt.Sprintf("%s: %s: %s", render.Where(f), render.Sentence(f), f.Why))).
		WithLocations([]*sarif.Location{location}).
		WithPartialFingerprints(map[string]string{"crdcheck/v1": f.Fingerprint()})
	r.RuleIndex = rule
	return r
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

// Write writes the document as SARIF, indented. Errors are those of w.
func Write(w io.Writer, d render.Document) error {
	return Report(d).PrettyWrite(w)
}
