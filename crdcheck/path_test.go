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
		"Field": {"a field alone", "spec", []string{"spec"}},
		"Nested": {
			"lists and maps are segments",
			"spec.disks[].tags[*].x",
			[]string{
				"spec",
				"spec.disks",
				"spec.disks[]",
				"spec.disks[].tags",
				"spec.disks[].tags[*]",
				"spec.disks[].tags[*].x",
			},
		},
		"Quoted": {
			"dots and brackets in a quoted name end nothing",
			`a["b.c[]"].d`,
			[]string{"a", `a["b.c[]"]`, `a["b.c[]"].d`},
		},
		"QuotedRoot": {"at the top too", `["a.b"].c`, []string{`["a.b"]`, `["a.b"].c`}},
		"Escapes": {
			"a name that ends in a backslash, and one with quotes",
			field(field(field("a", `b."`), `c.\`), "d"),
			[]string{"a", `a["b.\""]`, `a["b.\""]["c.\\"]`, `a["b.\""]["c.\\"].d`},
		},
		"Broken": {"no closing quote: taken as it is", `a["b`, []string{"a", `a["b`}},
		"Empty":  {"the object itself", "", []string{""}},
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
