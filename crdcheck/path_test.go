package crdcheck

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAncestors(t *testing.T) {
	cases := map[string]struct {
		reason, path string
		want         []string
	}{
		"one field": {reason: "a field alone", path: "spec", want: []string{"spec"}},
		"nested fields": {
			reason: "lists and maps are segments",
			path:   "spec.disks[].tags[*].x",
			want: []string{
				"spec",
				"spec.disks",
				"spec.disks[]",
				"spec.disks[].tags",
				"spec.disks[].tags[*]",
				"spec.disks[].tags[*].x",
			},
		},
		"quoted key": {
			reason: "dots and brackets in a quoted name end nothing",
			path:   `a["b.c[]"].d`,
			want:   []string{"a", `a["b.c[]"]`, `a["b.c[]"].d`},
		},
		"quoted key at the top": {reason: "at the top too", path: `["a.b"].c`, want: []string{`["a.b"]`, `["a.b"].c`}},
		"escaped quotes": {
			reason: "a name that ends in a backslash, and one with quotes",
			path:   field(field(field("a", `b."`), `c.\`), "d"),
			want:   []string{"a", `a["b.\""]`, `a["b.\""]["c.\\"]`, `a["b.\""]["c.\\"].d`},
		},
		"no closing quote": {reason: "no closing quote: taken as it is", path: `a["b`, want: []string{"a", `a["b`}},
		"empty path":       {reason: "the object itself", path: "", want: []string{""}},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ancestors(tc.path)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOneSided pins that a parent is visited before its children although another field sorts
// between them.
func TestOneSided(t *testing.T) {
	found := tree{{path: ""}, {path: "a"}, {path: "a-b"}, {path: "a.b", parent: "a"}, {path: "a.b.c", parent: "a.b"}}
	c := comparison{rolesOf: assumedRoles}
	c.trees(tree{{}}, found)
	var paths []string
	for _, f := range c.findings {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"a", "a-b"}, paths); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
