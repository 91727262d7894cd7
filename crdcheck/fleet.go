package crdcheck

import (
	"maps"
	"slices"
)

// Fleet reports whether the clusters agree on the CRDs of these names. Each CRD has a baseline that
// the other clusters are compared with: the first cluster by name that could be read and has the
// CRD. A cluster that could not be read is unknown, as is one of which there are two snapshots.
func Fleet(snapshots []Snapshot, names []string) Report {
	return FleetWith(snapshots, Options{CRDs: names})
}

// FleetWith is Fleet with options: only what those who are asked feel is told. Where the baseline
// that is named does not have a CRD, the first cluster that has it serves as one.
func FleetWith(snapshots []Snapshot, options Options) Report {
	var (
		subjects []Subject
		findings []Finding
	)
	ordered := orderedClusters(snapshots)
	for _, name := range options.names(snapshots...) {
		baseline := baselineOf(ordered, name, options.Baseline)
		for _, s := range ordered {
			subjects = append(subjects, Subject{CRD: name, Cluster: s.cluster, Baseline: baseline.cluster})
			for _, f := range compareClusters(baseline, s, name, options) {
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

func baselineOf(ordered []Snapshot, name, wanted string) Snapshot {
	var first Snapshot
	for _, s := range slices.Backward(ordered) {
		if _, found := s.definitions[name]; !found {
			continue
		}
		if s.cluster == wanted {
			return s
		}
		first = s
	}
	return first
}

func compareClusters(baseline, s Snapshot, name string, options Options) []Finding {
	if s.unknown != "" {
		return []Finding{clusterUnknown(s.unknown)}
	}
	d, found := s.definitions[name]
	if !found {
		return []Finding{RuleCRDMissing.finding(Roundtrip)}
	}
	return compareFleet(
		baseline.definitions[name], d, comparison{rolesOf: options.roles(name), usage: options.Usage.of(name), served: true},
	)
}

// compareFleet tells the set of versions as one difference, and all others as Compare does, to
// everybody.
func compareFleet(baseline, d *definition, c comparison) []Finding {
	if baseline == d {
		return nil
	}
	c.definitions(baseline, d)
	c.schemas(baseline, d)
	findings := slices.DeleteFunc(
		c.findings, func(f Finding) bool { return !slices.Contains(catalogue[f.Rule].Questions, askFleet) },
	)
	if old, found := baseline.versionSet(), d.versionSet(); old != found {
		f := RuleVersionsDiffer.finding(Roundtrip)
		f.Old, f.New = old, found
		findings = append(findings, f)
	}
	return findings
}
