package main

import (
	"fmt"
	"io"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// warnUnused writes a line for each version and path of a usage that no place has: it may be spelt
// wrong, and then its changes would go unseen. It is no error, since a program may use what only
// other releases have.
func warnUnused(w io.Writer, name string, usage *crdcheck.Usage, sets []source.Set) {
	if usage == nil {
		return
	}
	var snapshots []crdcheck.Snapshot
	for _, set := range sets {
		if set.Unknown != "" {
			return // it may have them
		}
		snapshots = append(snapshots, set.Snapshot())
	}
	for _, r := range usage.Requirements() {
		for _, what := range lacking(r, snapshots, sets) {
			fmt.Fprintf(w, "crdcheck: warning: %s: no place has %s of %s\n", name, what, r.CRD)
		}
	}
}

// lacking returns what no snapshot with the definition has: the version, or paths of it.
func lacking(r crdcheck.Requirement, snapshots []crdcheck.Snapshot, sets []source.Set) []string {
	versions := []string{r.Version}
	if r.Version == "" { // any
		versions = servedVersions(r.CRD, sets)
	}
	var (
		asked   int // versions of snapshots that could have the paths
		without = map[string]int{}
		known   bool
	)
	for _, version := range versions {
		r.Version = version
		for _, snapshot := range snapshots {
			rules := map[crdcheck.RuleID]bool{}
			for _, f := range crdcheck.Require(snapshot, []crdcheck.Requirement{r}).Findings {
				rules[f.Rule] = true
				if f.Rule == crdcheck.RuleFieldMissing {
					without[f.Path]++
				}
			}
			known = known || !rules[crdcheck.RuleCRDMissing]
			if !rules[crdcheck.RuleCRDMissing] && !rules[crdcheck.RuleVersionNotServed] {
				asked++
			}
		}
	}
	if asked == 0 && known {
		return []string{"version " + r.Version}
	}
	var all []string
	for _, needed := range r.Fields {
		if path := needed.AnyOf[0]; asked > 0 && without[path] == asked {
			all = append(all, path)
		}
	}
	return all
}

// servedVersions are those of a definition in all sets, in any order, some perhaps twice.
func servedVersions(name string, sets []source.Set) []string {
	var all []string
	for _, set := range sets {
		for _, crd := range set.CRDs {
			for _, v := range crd.Spec.Versions {
				if crd.Name == name && v.Served {
					all = append(all, v.Name)
				}
			}
		}
	}
	return all
}
