package crdcheck

import (
	"cmp"
	"slices"
	"strings"
)

// Requirement is what a program needs of one CRD.
type Requirement struct {
	// CRD is the definition's name: plural.group.
	CRD string
	// Version that the program speaks; "" means any that is served: the one that has most of the
	// fields counts, of several the newest.
	Version string
	// Fields that it uses, in any order.
	Fields []Field
}

// Field is a field that a program uses.
type Field struct {
	// AnyOf are paths ("spec.disks[].name") of which one is enough: names that a field had in
	// different releases. A quoted segment names a field with dots: metadata.annotations["a.b"].
	AnyOf []string
	// Direction is Write for what the program writes, Read for what it only reads.
	Direction Direction
}

// Writes returns a field that the program writes, by its path and alternatives to it.
func Writes(path string, alternatives ...string) Field {
	return Field{AnyOf: append([]string{path}, alternatives...), Direction: Write}
}

// Reads returns a field that the program only reads, by its path and alternatives to it.
func Reads(path string, alternatives ...string) Field {
	return Field{AnyOf: append([]string{path}, alternatives...), Direction: Read}
}

// Require reports whether the cluster has what is required. apiVersion, kind and metadata are in
// every object and never missing.
func Require(snapshot Snapshot, requirements []Requirement) Report {
	var (
		subjects []Subject
		findings []Finding
	)
	for _, r := range requirements {
		subjects = append(subjects, Subject{CRD: r.CRD, Version: r.Version, Cluster: snapshot.cluster})
		for _, f := range require(snapshot, r) {
			f.Cluster, f.CRD = snapshot.cluster, r.CRD
			findings = append(findings, f)
		}
	}
	return newReport(subjects, findings)
}

func require(snapshot Snapshot, r Requirement) []Finding {
	if snapshot.unknown != "" {
		return []Finding{clusterUnknown(snapshot.unknown)}
	}
	d, found := snapshot.definitions[r.CRD]
	if !found {
		return []Finding{RuleCRDMissing.finding(Roundtrip)}
	}
	var best []Finding
	met := false
	for _, name := range d.ordered() {
		if v := d.versions[name]; v.served && (r.Version == "" || r.Version == name) {
			found := v.requireAll(name, r.Fields)
			if !met || len(found) < len(best) {
				best, met = found, true
			}
		}
	}
	if !met {
		f := RuleVersionNotServed.finding(Roundtrip)
		wanted := cmp.Or(r.Version, "any version")
		f.Version, f.Old, f.New = wanted, wanted+" served", d.versionSet()
		return []Finding{f}
	}
	return best
}

// requireAll returns what a version of that name lacks.
func (v *version) requireAll(name string, fields []Field) []Finding {
	var findings []Finding
	if v.deprecated {
		f := RuleVersionDeprecated.finding(Roundtrip)
		f.Version = name
		findings = append(findings, f)
	}
	for _, needed := range fields {
		if f, broken := v.require(needed); broken {
			f.Version = name
			findings = append(findings, f)
		}
	}
	return findings
}

func clusterUnknown(reason string) Finding {
	f := RuleClusterUnknown.finding(Roundtrip)
	f.Why = reason
	return f
}

// presence is what a schema says about a field.
type presence int

const (
	absent presence = iota
	unchecked
	present
)

func (v *version) require(needed Field) (Finding, bool) {
	best := absent
	for _, path := range needed.AnyOf {
		best = max(best, v.presence(path))
	}
	var f Finding
	switch best {
	case present:
		return Finding{}, false
	case unchecked:
		f = RuleFieldUnchecked.finding(needed.Direction)
	default:
		f = RuleFieldMissing.finding(needed.Direction)
	}
	f.Path = strings.Join(needed.AnyOf, "|")
	return f, true
}

func (v *version) presence(path string) presence {
	all := steps(path)
	if len(all) > 0 && slices.Contains([]string{"apiVersion", "kind", "metadata"}, all[0].name) {
		return present
	}
	if v.nodes == nil {
		return unchecked
	}
	at := v.nodes.at("")
	for _, s := range all {
		next := v.nodes.at(s.below(at.path))
		if next == nil && s.kind == "" {
			next = v.nodes.at(at.path + anyValue) // a key of a map
		}
		if next == nil {
			if at.open {
				return unchecked
			}
			return absent
		}
		at = next
	}
	return present
}
