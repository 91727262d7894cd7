package crdcheck

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// absentValue stands in Finding.Old and Finding.New for what is not there.
const absentValue = "absent"

// Fleet reports whether the clusters agree on the CRDs of these names. Each CRD has a baseline that the other clusters are compared
// with: the first cluster by name that could be read and has the CRD. A cluster that could not be read is unknown, as is one of which
// there are two snapshots.
func Fleet(snapshots []Snapshot, names []string) Report {
	var (
		subjects []Subject
		findings []Finding
	)
	ordered := orderedClusters(snapshots)
	for _, name := range names {
		baseline := baselineOf(ordered, name)
		for _, s := range ordered {
			subjects = append(subjects, Subject{CRD: name, Cluster: s.cluster, Baseline: baseline.cluster})
			for _, f := range compareClusters(baseline, s, name) {
				f.Cluster, f.CRD = s.cluster, name
				findings = append(findings, f)
			}
		}
	}
	return newReport(subjects, findings)
}

// orderedClusters returns one snapshot a cluster, sorted by name.
func orderedClusters(snapshots []Snapshot) []Snapshot {
	byName := make(map[string]Snapshot, len(snapshots))
	for _, s := range snapshots {
		if _, found := byName[s.cluster]; found {
			s = Unobserved(s.cluster, "two snapshots of this name")
		}
		byName[s.cluster] = s
	}
	ordered := make([]Snapshot, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		ordered = append(ordered, byName[name])
	}
	return ordered
}

func baselineOf(ordered []Snapshot, name string) Snapshot {
	for _, s := range ordered {
		if _, found := s.definitions[name]; found {
			return s
		}
	}
	return Snapshot{}
}

func compareClusters(baseline, s Snapshot, name string) []Finding {
	if s.unknown != "" {
		return []Finding{clusterUnknown(s.unknown)}
	}
	d, found := s.definitions[name]
	if !found {
		return []Finding{RuleCRDMissing.finding(Roundtrip)}
	}
	return compareDefinitions(baseline.definitions[name], d)
}

func compareDefinitions(baseline, d *definition) []Finding {
	var findings []Finding
	differs := func(rule RuleID, old, found string) {
		if old != found {
			f := rule.finding(Roundtrip)
			f.Old, f.New = old, found
			findings = append(findings, f)
		}
	}
	differs(RuleScopeDiffers, baseline.scope, d.scope)
	differs(RuleVersionsDiffer, baseline.versionSet(), d.versionSet())
	for name, v := range d.versions {
		old, shared := baseline.versions[name]
		if !shared || !old.served || !v.served || old.hash == v.hash {
			continue
		}
		for _, f := range compareSchemas(old.nodes, v.nodes) {
			f.Version = name
			findings = append(findings, f)
		}
	}
	return findings
}

// compareSchemas reports each path that differs. What is below a path that only one side has is not reported again.
func compareSchemas(old, found map[string]node) []Finding {
	all := maps.Clone(old)
	if all == nil {
		all = map[string]node{}
	}
	maps.Copy(all, found)
	oneSided := map[string]bool{}
	var findings []Finding
	for _, path := range slices.Sorted(maps.Keys(all)) { // a parent sorts before its children
		was, inOld := old[path]
		is, inNew := found[path]
		oneSided[path] = inOld != inNew
		switch {
		case inOld && inNew && was.facets == is.facets:
		case inOld && inNew:
			findings = append(findings, facetsDiffer(path, was, is))
		case path != "" && oneSided[all[path].parent]:
		default:
			findings = append(findings, fieldOneSided(path, was, is, inOld))
		}
	}
	return findings
}

func fieldOneSided(path string, was, is node, inOld bool) Finding {
	if inOld {
		f := RuleSchemaFieldAbsent.finding(directionOf(path))
		f.Path, f.Old, f.New = path, was.facets, absentValue
		return f
	}
	f := RuleSchemaFieldExtra.finding(Roundtrip)
	f.Path, f.Old, f.New = path, absentValue, is.facets
	return f
}

// facetsDiffer shows of both sides what the other one does not say.
func facetsDiffer(path string, was, is node) Finding {
	var a, b map[string]json.RawMessage
	_ = json.Unmarshal([]byte(was.facets), &a) // canonical made them
	_ = json.Unmarshal([]byte(is.facets), &b)
	for key, value := range a {
		if other, found := b[key]; found && string(other) == string(value) {
			delete(a, key)
			delete(b, key)
		}
	}
	f := RuleSchemaFieldDiffers.finding(directionOf(path))
	f.Path = path
	f.Old, _ = canonical(a)
	f.New, _ = canonical(b)
	return f
}

// directionOf assumes that status is read and all else is written.
func directionOf(path string) Direction {
	if path == "status" || strings.HasPrefix(path, "status.") {
		return Read
	}
	return Write
}
