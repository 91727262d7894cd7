package render_test

import (
	"testing"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

// TestConsequences: of enumerations and patterns the sentence says what the one who feels the change
// has to expect: a writer what is refused, a reader what may come.
func TestConsequences(t *testing.T) {
	const absent, before, after = "absent", `"a"`, `"b"`
	cases := map[string]struct {
		reason     string
		rule       crdcheck.RuleID
		direction  crdcheck.Direction
		old, found string
		want       string
	}{
		"reader of a new value": {
			reason: "the value that a reader has no branch for is named",
			rule:   crdcheck.RuleEnumValueAdded, direction: crdcheck.Read, old: absent, found: after,
			want: `enum value added: readers may meet "b"`,
		},
		"round trip of a new value": {
			reason: "who reads and writes back is a reader too",
			rule:   crdcheck.RuleEnumValueAdded, direction: crdcheck.Roundtrip, old: absent, found: after,
			want: `enum value added: readers may meet "b"`,
		},
		"writer of a new value": {
			reason: "a writer loses nothing",
			rule:   crdcheck.RuleEnumValueAdded, direction: crdcheck.Write, old: absent, found: after,
			want: `enum value added: writers may use "b"`,
		},
		"writer of a value that is gone": {
			reason: "the value that is refused is named",
			rule:   crdcheck.RuleEnumValueRemoved, direction: crdcheck.Write, old: before, found: absent,
			want: `enum value removed: "a" is refused`,
		},
		"stored value that is gone": {
			reason: "nothing rewrites objects that exist",
			rule:   crdcheck.RuleEnumValueRemoved, direction: crdcheck.Storage, old: before, found: absent,
			want: `enum value removed: "a" is refused, and stored objects may have it`,
		},
		"writer where an enumeration comes": {
			reason: "all values but those of the list are refused",
			rule:   crdcheck.RuleEnumAdded, direction: crdcheck.Write, old: absent, found: `["a","b"]`,
			want: `enum added: what is none of "a", "b" is refused`,
		},
		"reader where an enumeration goes": {
			reason: "the values that were known are named, since those that come cannot be",
			rule:   crdcheck.RuleEnumRemoved, direction: crdcheck.Read, old: `["a","b"]`, found: absent,
			want: `enum removed: readers may meet other values than "a", "b"`,
		},
		"reader of another pattern": {
			reason: "both patterns are told: what fits only the new one may come",
			rule:   crdcheck.RulePatternChanged, direction: crdcheck.Read, old: before, found: after,
			want: `pattern changed: readers may meet values that match "b" and not "a"`,
		},
		"writer of another pattern": {
			reason: "both patterns are told: what fits only the old one is refused",
			rule:   crdcheck.RulePatternChanged, direction: crdcheck.Write, old: before, found: after,
			want: `pattern changed: what matches "a" and not "b" is refused`,
		},
		"reader where a pattern goes": {
			reason: "the reader may rely on the pattern that is gone",
			rule:   crdcheck.RulePatternRemoved, direction: crdcheck.Read, old: before, found: absent,
			want: `pattern removed: readers may meet values that do not match "a"`,
		},
		"writer where a pattern comes": {
			reason: "what does not fit the pattern is refused",
			rule:   crdcheck.RulePatternAdded, direction: crdcheck.Write, old: absent, found: after,
			want: `pattern added: what does not match "b" is refused`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := tc.rule.Finding(tc.direction)
			f.Version, f.Path, f.Old, f.New = "v1", "status.phase", tc.old, tc.found
			if got, want := render.Sentence(f), "v1: status.phase: "+tc.want; got != want {
				t.Errorf("%s:\nwant %s\ngot  %s", tc.reason, want, got)
			}
		})
	}
}
