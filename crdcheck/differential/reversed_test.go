package differential

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// opposites are how the names of two rules end that tell one change, seen from either side.
var opposites = map[string]string{
	"-added": "-removed", "-tightened": "-loosened", "-narrowed": "-widened", "-listed": "-unlisted",
	"-deprecated": "-undeprecated", "-served": "-unserved", "-kept": "-pruned",
}

// mirrors are the rules whose opposite has another name, or more than one.
var mirrors = map[crdcheck.RuleID][]crdcheck.RuleID{
	crdcheck.RuleRequiredFieldAdded:     {crdcheck.RuleFieldRemoved},
	crdcheck.RuleFieldRemoved:           {crdcheck.RuleRequiredFieldAdded},
	crdcheck.RuleRequiredDefaulted:      {crdcheck.RuleRequiredRemoved},
	crdcheck.RuleRequiredRemoved:        {crdcheck.RuleRequiredDefaulted},
	crdcheck.RuleRequiredDefaultRemoved: {crdcheck.RuleDefaultAdded},
	crdcheck.RuleDefaultAdded:           {crdcheck.RuleRequiredDefaultRemoved},
	crdcheck.RuleListTypeNarrowed:       {crdcheck.RuleListTypeChanged, crdcheck.RuleListTypeNarrowed},
	crdcheck.RuleListTypeChanged:        {crdcheck.RuleListTypeNarrowed},
	crdcheck.RuleStorageVersionChanged:  {crdcheck.RuleStorageVersionJumped},
	crdcheck.RuleStorageVersionJumped:   {crdcheck.RuleStorageVersionChanged, crdcheck.RuleStorageVersionJumped},
	// An enumeration instead of other bounds says all that they said.
	crdcheck.RulePatternRemoved: {crdcheck.RuleEnumRemoved},
	"min-length-loosened":       {crdcheck.RuleEnumRemoved},
	"max-length-loosened":       {crdcheck.RuleEnumRemoved},
}

// mirrored reports whether a rule tells from the other side what another one tells. A rule whose
// name ends in -changed is its own.
func mirrored(rule, other crdcheck.RuleID) bool {
	if slices.Contains(mirrors[rule], other) || rule == other && strings.HasSuffix(string(rule), "-changed") {
		return true
	}
	for one, opposite := range opposites {
		for _, ends := range [][2]string{{one, opposite}, {opposite, one}} {
			name, is := strings.CutSuffix(string(rule), ends[0])
			if is && crdcheck.RuleID(name+ends[1]) == other {
				return true
			}
		}
	}
	return false
}

// TestMirrored compares every pair in both directions: what is found at a place of one has its
// counterpart at the same place of the other. What narrows one way widens the other.
func TestMirrored(t *testing.T) {
	eachPair(t, func(t *testing.T, p pair) {
		forward, backward := compare(p).Findings, compare(pair{old: p.new, new: p.old}).Findings
		mirror(t, "forward", forward, backward)
		mirror(t, "backward", backward, forward)
	})
}

func mirror(t *testing.T, way string, findings, others []crdcheck.Finding) {
	t.Helper()
	for _, f := range findings {
		if strings.Contains(f.Version, " and ") || strings.Contains(f.Version, " stored as ") {
			continue // one side's versions with each other: the other side has other ones
		}
		i := slices.IndexFunc(others, func(o crdcheck.Finding) bool {
			return o.Path == f.Path && o.Version == f.Version && mirrored(f.Rule, o.Rule)
		})
		switch {
		case i < 0:
			t.Errorf("%s: %s %s %s has no counterpart", way, f.Version, f.Rule, f.Path)
		case f.Effect == crdcheck.Narrows && others[i].Effect == crdcheck.Narrows && f.Rule != others[i].Rule:
			t.Errorf("%s: %s %s narrows, and %s does too", way, f.Rule, f.Path, others[i].Rule)
		}
	}
}

// TestItself: nothing is found between a definition and itself.
func TestItself(t *testing.T) {
	eachPair(t, func(t *testing.T, p pair) {
		for _, d := range []*crd{p.old, p.new} {
			for _, f := range compare(pair{old: d, new: d.DeepCopy()}).Findings {
				t.Errorf("%s %s", f.Rule, f.Path)
			}
		}
	})
}
