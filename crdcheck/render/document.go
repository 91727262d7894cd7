package render

import (
	"bytes"
	"encoding/json"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// SchemaURL is where the schema of JSON and YAML output is published; report.schema.json is its
// source.
const SchemaURL = "https://raw.githubusercontent.com/vitistack/kubevirt-multicluster/main/" +
	"crdcheck/render/report.schema.json"

// APIVersion of the output; it changes when a program that reads it must.
const APIVersion = "crdcheck.vitistack.io/v1"

// Document is what a run of the program has to say.
type Document struct {
	// Version of the program, where it is known: SARIF names it.
	Version string
	// Question that was asked: "require", "compare", "fleet", "admit".
	Question string
	// Report without what is ignored.
	Report crdcheck.Report
	// Ignored are the findings that a person answers for, in their order.
	Ignored []Ignored
	// Notes are for people: an entry of the ignore file that is over, or that nothing matched.
	Notes []string
	// PassedOver are sentences about what was not looked at, with a count: "2 objects of ...".
	PassedOver []string
	// At says where the definitions, or the objects, were read that came from files.
	At map[Place]Position
	// Changed says when definitions of clusters were last changed, where the cluster keeps that.
	Changed map[Place]Changed
}

// Ignored is a finding that a person answers for.
type Ignored struct {
	crdcheck.Finding
	// Owner is who answers for it, Expires the last day ("2026-12-31"), Reason why.
	Owner, Expires, Reason string
}

// Place is a definition of a cluster, or an object that was held against one.
type Place struct {
	Cluster, CRD string
	// Version and Object are set where an object was looked at.
	Version, Object string
}

// PlaceOf returns the place of a subject.
func PlaceOf(s crdcheck.Subject) Place {
	if s.Object == "" {
		return Place{Cluster: s.Cluster, CRD: s.CRD}
	}
	return Place{Cluster: s.Cluster, CRD: s.CRD, Version: s.Version, Object: s.Object}
}

// Position is a line of a file, from 1.
type Position struct {
	File string
	Line int
}

// Position returns where the object of a finding was read, or the definition where it is about no
// object; false where neither came from a file.
func (d Document) Position(f crdcheck.Finding) (Position, bool) {
	p, found := d.At[PlaceOf(subjectOf(f))]
	return p, found
}

func subjectOf(f crdcheck.Finding) crdcheck.Subject {
	return crdcheck.Subject{CRD: f.CRD, Cluster: f.Cluster, Version: f.Version, Object: f.Object}
}

type jsonReport struct {
	Schema     string         `json:"$schema"`
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Question   string         `json:"question"`
	OK         bool           `json:"ok"`
	Counts     map[string]int `json:"counts"`
	Subjects   []jsonSubject  `json:"subjects"`
	Findings   []jsonFinding  `json:"findings"`
	Ignored    []jsonIgnored  `json:"ignored"`
	Notes      []string       `json:"notes"`
	PassedOver []string       `json:"passedOver,omitempty"`
}

type jsonSubject struct {
	CRD      string `json:"crd"`
	Cluster  string `json:"cluster"`
	Version  string `json:"version,omitempty"`
	Object   string `json:"object,omitempty"`
	Baseline string `json:"baseline,omitempty"`
	// Changed is when the cluster's definition was last changed, ChangedBy by which field manager.
	Changed   string `json:"changed,omitempty"`
	ChangedBy string `json:"changedBy,omitempty"`
}

type jsonFinding struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	Severity    string `json:"severity"`
	Direction   string `json:"direction"`
	Effect      string `json:"effect"`
	CRD         string `json:"crd"`
	Cluster     string `json:"cluster"`
	Version     string `json:"version,omitempty"`
	Object      string `json:"object,omitempty"`
	Path        string `json:"path,omitempty"`
	Old         string `json:"old,omitempty"`
	New         string `json:"new,omitempty"`
	Message     string `json:"message"`
	Why         string `json:"why"`
	File        string `json:"file,omitempty"`
	Line        int    `json:"line,omitempty"`
	// Also are the other paths at which it is the same.
	Also []jsonPath `json:"also,omitempty"`
}

type jsonPath struct {
	Path        string `json:"path"`
	Fingerprint string `json:"fingerprint"`
}

type jsonIgnored struct {
	jsonFinding
	Owner   string `json:"owner"`
	Expires string `json:"expires"`
	Reason  string `json:"reason"`
}

// severities are all, from bad to harmless.
var severities = []crdcheck.Severity{crdcheck.Error, crdcheck.Warning, crdcheck.Unsettled, crdcheck.Info}

func (d Document) json() jsonReport {
	r := jsonReport{
		Schema: SchemaURL, APIVersion: APIVersion, Kind: "Report",
		Question: d.Question, OK: d.Report.OK(), Counts: map[string]int{},
		Subjects: []jsonSubject{}, Findings: []jsonFinding{}, Ignored: []jsonIgnored{}, Notes: append([]string{}, d.Notes...),
		PassedOver: d.PassedOver,
	}
	counts := d.Report.Counts()
	for _, severity := range severities {
		r.Counts[severity.String()] = counts[severity]
	}
	for _, s := range d.Report.Subjects {
		r.Subjects = append(r.Subjects, d.jsonSubject(s))
	}
	for _, group := range crdcheck.Groups(d.Report.Findings) {
		r.Findings = append(r.Findings, d.jsonFinding(group))
	}
	for _, i := range d.GroupsOfIgnored() {
		r.Ignored = append(r.Ignored, jsonIgnored{d.jsonFinding(i.Group), i.Owner, i.Expires, i.Reason})
	}
	return r
}

func (d Document) jsonSubject(s crdcheck.Subject) jsonSubject {
	subject := jsonSubject{CRD: s.CRD, Cluster: s.Cluster, Version: s.Version, Object: s.Object, Baseline: s.Baseline}
	if changed, known := d.Changed[PlaceOf(s)]; known {
		subject.Changed, subject.ChangedBy = changed.At, changed.By
	}
	return subject
}

func (d Document) jsonFinding(group crdcheck.Group) jsonFinding {
	f := group.Finding
	at, _ := d.Position(f)
	var more []jsonPath
	for _, other := range group.Also {
		more = append(more, jsonPath{Path: other.Path, Fingerprint: other.Fingerprint()})
	}
	return jsonFinding{
		Fingerprint: f.Fingerprint(), Rule: string(f.Rule), Severity: f.Severity().String(),
		Direction: string(f.Direction), Effect: string(f.Effect),
		CRD: f.CRD, Cluster: f.Cluster, Version: f.Version, Object: f.Object, Path: f.Path, Old: f.Old, New: f.New,
		Message: Sentence(f), Why: f.Why, File: at.File, Line: at.Line,
		Also: more,
	}
}

// JSON writes the document as report.schema.json describes it. Errors are those of w.
func JSON(w io.Writer, d Document) error {
	encoded, err := encode(d.json())
	if err != nil {
		return err
	}
	_, err = w.Write(encoded)
	return err
}

// encode is indented JSON; < and & are left as they are.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return b.Bytes(), err
}

// YAML writes what JSON writes, with the same keys.
func YAML(w io.Writer, d Document) error {
	encoded, err := encode(d.json())
	if err != nil {
		return err
	}
	converted, err := yaml.JSONToYAML(encoded)
	if err != nil {
		return err
	}
	_, err = w.Write(converted)
	return err
}
