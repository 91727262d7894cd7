package crdcheck

import (
	"maps"
	"slices"
	"strings"
)

// Options say what Compare looks at. The zero value looks at everything.
type Options struct {
	// CRDs are the names of the definitions to compare; nil means all that either side has.
	CRDs []string
	// Directions are the parties that are asked; nil means all of them. See Profile.
	Directions []Direction
	// Usage is what a program writes and reads. Without one (nil) spec counts as written, status as
	// read, and everything else as both. With a Usage only findings that touch it are reported, and
	// only definitions that it names are compared.
	Usage *Usage
	// Baseline is the cluster that FleetWith compares the others with; "" means for each CRD the first
	// cluster by name that has it. Compare does not look at it.
	Baseline string
}

// Compare reports what changed from the old snapshot to the new one. A change is one finding, in
// the direction that feels it worst among those that are asked. A subtree that only one side has is
// reported once, at its top. A schema that several versions share is reported once.
//
// A version is compared if both sides serve it. The version that both sides store is compared, for
// stored objects, even if it is not served. The served versions of the new definition are also
// compared with each other, unless a webhook converts between them, because a field that one of
// them drops is lost in a round trip. A difference between versions that the old definition had too
// is not reported.
func Compare(old, found Snapshot, options Options) Report {
	var (
		subjects []Subject
		findings []Finding
	)
	for _, name := range options.names(old, found) {
		subjects = append(subjects, Subject{CRD: name, Cluster: found.cluster, Baseline: old.cluster})
		for _, f := range compareSnapshots(old, found, name, options) {
			f.Cluster, f.CRD = found.cluster, name
			findings = append(findings, f)
		}
	}
	return newReport(subjects, findings)
}

func (o Options) names(snapshots ...Snapshot) []string {
	if o.CRDs != nil {
		return o.CRDs
	}
	if o.Usage != nil {
		return o.Usage.crds()
	}
	all := map[string]bool{}
	for _, s := range snapshots {
		for name := range s.definitions {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func compareSnapshots(old, found Snapshot, name string, options Options) []Finding {
	for _, s := range []Snapshot{old, found} {
		if s.unknown != "" {
			return []Finding{clusterUnknown(s.cluster + ": " + s.unknown)}
		}
	}
	was, is := old.definitions[name], found.definitions[name]
	switch {
	case was == nil && is == nil, was != nil && is == nil:
		return []Finding{RuleCRDMissing.finding(Roundtrip)}
	case was == nil:
		f := RuleCRDAdded.finding(Write)
		f.Old, f.New = absentValue, is.versionSet()
		return []Finding{f}
	}
	c := comparison{rolesOf: options.roles(name), usage: options.Usage.of(name)}
	c.definitions(was, is)
	c.schemas(was, is)
	c.servedTogether(was, is)
	return c.findings
}

// roles are who feels a change of a path.
type roles func(path string) []Direction

// roles returns the directions that are asked, by path.
func (o Options) roles(name string) roles {
	assumed := assumedRoles
	if o.Usage != nil {
		assumed = o.Usage.of(name).roles
	}
	if o.Directions == nil {
		return assumed
	}
	return func(path string) []Direction {
		return slices.DeleteFunc(
			slices.Clone(assumed(path)), func(d Direction) bool { return !slices.Contains(o.Directions, d) },
		)
	}
}

// assumedRoles assume that status is read, that spec and the object's name are written, and that all
// else may be both.
func assumedRoles(path string) []Direction {
	switch {
	case path == "status" || strings.HasPrefix(path, "status.") || strings.HasPrefix(path, "status["):
		return []Direction{Read, Roundtrip, Storage}
	case path == "spec" || strings.HasPrefix(path, "spec.") || strings.HasPrefix(path, "spec["):
		return []Direction{Write, Roundtrip, Storage}
	case strings.HasPrefix(path, fieldMetadata+"."): // every program knows it as text
		return []Direction{Write, Storage}
	default:
		return []Direction{Write, Read, Roundtrip, Storage}
	}
}

// comparison collects the findings of one definition.
type comparison struct {
	rolesOf  roles
	usage    *KindUsage // nil means that everything is used
	version  string
	only     []Direction // nil means all
	served   bool        // schemas are compared only where both sides serve them
	findings []Finding
}

// felt are the directions in which an effect is felt.
var felt = map[Effect][]Direction{
	Drops: {
		Write,
		Read,
		Roundtrip,
		Storage,
	}, Incomparable: {Write, Read, Roundtrip, Storage}, Alters: {Write, Read, Roundtrip, Storage},
	Unknown: {
		Write,
		Read,
		Roundtrip,
		Storage,
	}, Narrows: {Write, Read, Storage}, Widens: {Write, Read, Roundtrip}, Adds: {Write, Roundtrip},
	Cosmetic: {Write, Read},
}

// tell adds a finding in the direction that feels it worst, if anybody who is asked feels it at
// all.
func (c *comparison) tell(rule RuleID, path, old, found string) {
	c.tellAmong(c.rolesOf(path), rule, path, old, found)
}

func (c *comparison) tellAmong(asked []Direction, rule RuleID, path, old, found string) {
	effect := catalogue[rule].Effect
	worst, any := Finding{}, false
	for _, direction := range felt[effect] {
		if !slices.Contains(asked, direction) || c.only != nil && !slices.Contains(c.only, direction) {
			continue
		}
		f := rule.finding(direction)
		if !any || f.Severity() > worst.Severity() {
			worst, any = f, true
		}
	}
	if !any {
		return
	}
	worst.Version, worst.Path, worst.Old, worst.New = c.version, path, old, found
	c.findings = append(c.findings, worst)
}

// schemas compares versions of one name, those with the same two schemas together.
func (c *comparison) schemas(was, is *definition) {
	type pair struct{ old, found string }
	told := map[pair]string{} // by schemas: versions
	stored := map[pair]bool{}
	for _, name := range is.ordered() {
		old, shared := was.versions[name]
		found := is.versions[name]
		if !shared || old.hash == found.hash || !c.speaks(name) {
			continue
		}
		at := pair{old.hash, found.hash}
		switch {
		case old.served && found.served:
			told[at] = join(told[at], name, ", ")
		case old.storage && found.storage && !c.served:
			stored[at] = true
			c.version, c.only = name, []Direction{Storage}
			c.trees(old.nodes, found.nodes)
		}
	}
	c.only = nil
	for _, name := range is.ordered() {
		old, shared := was.versions[name]
		if !shared {
			continue
		}
		at := pair{old.hash, is.versions[name].hash}
		versions, found := told[at]
		if !found || stored[at] {
			continue
		}
		delete(told, at)
		c.version = versions
		c.trees(old.nodes, is.versions[name].nodes)
	}
	c.version = ""
}

func join(list, item, separator string) string {
	if list == "" {
		return item
	}
	return list + separator + item
}

// servedTogether compares versions that the new definition serves side by side.
func (c *comparison) servedTogether(was, is *definition) {
	if is.conversion != "None" {
		return
	}
	before := map[Finding]bool{}
	for _, f := range c.findings {
		if f.Direction == Storage {
			f.Version, f.Why, f.Direction = "", "", Roundtrip
			before[f] = true // told of the objects that are stored
		}
	}
	for _, f := range c.sideBySide(was) {
		f.Version, f.Why = "", ""
		before[f] = true
	}
	for _, f := range c.sideBySide(is) {
		key := f
		key.Version, key.Why = "", ""
		if !before[key] {
			before[key] = true
			c.findings = append(c.findings, f)
		}
	}
}

func (c *comparison) sideBySide(d *definition) []Finding {
	var served []string
	for _, name := range d.ordered() {
		if d.versions[name].served {
			served = append(served, name)
		}
	}
	together := comparison{rolesOf: c.rolesOf, usage: c.usage, only: []Direction{Roundtrip}}
	for i, newer := range served {
		for _, older := range served[i+1:] {
			together.version = older + " and " + newer
			if d.versions[older].hash != d.versions[newer].hash {
				together.trees(d.versions[older].nodes, d.versions[newer].nodes)
			}
		}
	}
	return together.findings
}
