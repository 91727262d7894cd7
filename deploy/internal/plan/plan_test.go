package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/plan"
)

const added = "\n// Put puts.\nfunc Put(key, value string) {}\n"

// TestReleased makes a little repository for each situation, and plans its release.
func TestReleased(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(c *clone)
		want   []string
	}{
		"first": {
			reason: "without a tag all modules are released, and a module after what it requires",
			change: func(*clone) {},
			want: []string{"store/v0.1.0: first release", "store/disk/v0.1.0: first release",
				"app/v0.1.0: first release"},
		},
		"nothing": {
			reason: "a commit that changes no module releases none",
			change: func(c *clone) { c.tagAll(); c.write("README.md", "hello\n"); c.commit("docs: greet") },
		},
		"tagged": {
			reason: "the workflow that a tag starts builds what the tag stands for",
			change: func(c *clone) { c.tagAll() },
			want: []string{"store/v0.1.0: first release", "store/disk/v0.1.0: first release",
				"app/v0.1.0: first release"},
		},
		"nested": {
			reason: "a module in the folder of another is no part of that one",
			change: func(c *clone) {
				c.tagAll()
				c.replace("store/disk/disk.go", "package disk", "// Package disk turns.\npackage disk")
				c.raise("store/disk", "v0.1.1")
				c.commit("store/disk: say what it does")
			},
			want: []string{"store/disk/v0.1.1: 1 file changed"},
		},
		"required": {
			reason: "a module that requires a changed one is released with it, and after it",
			change: func(c *clone) {
				c.tagAll()
				c.write("store/put.go", "package store\n"+added)
				c.raise("store", "v0.1.1")
				c.raise("app", "v0.1.1")
				c.commit("store: put")
			},
			want: []string{"store/v0.1.1: 1 file changed",
				"app/v0.1.1: 1 file changed, and store that it requires"},
		},
		"pre-release": {
			reason: "a pre-release of a large enough version is one",
			change: func(c *clone) {
				c.tagAll()
				c.replace("store/store.go", "func Get(key string)", "func Get(key []byte)")
				c.replace("store/store.go", "return key", "return string(key)")
				c.replace("app/main.go", `store.Get("")`, "store.Get(nil)")
				c.raise("store", "v0.2.0-rc.1")
				c.raise("app", "v0.1.1-rc.1")
				c.commit("store: keys are bytes")
			},
			want: []string{"store/v0.2.0-rc.1: 1 file changed",
				"app/v0.1.1-rc.1: 2 files changed, and store that it requires"},
		},
		"internal": {
			reason: "what nobody can import may go in a patch",
			change: func(c *clone) {
				c.tagAll()
				c.replace("store/internal/far/far.go", "func Away", "func Gone")
				c.raise("store", "v0.1.1")
				c.raise("app", "v0.1.1")
				c.commit("store: rename within")
			},
			want: []string{"store/v0.1.1: 1 file changed", "app/v0.1.1: 1 file changed, and store that it requires"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClone(t)
			tc.change(c)
			planned, err := plan.Make(t.Context(), c.folder)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			var got []string
			for _, module := range planned.Released() {
				got = append(got, module.Tag()+": "+module.Why())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRefused: what must not be released is refused, in a sentence that says what to do.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(c *clone)
		want   []string // all of them stand in the message
	}{
		"dirty": {
			reason: "what people see in the working tree is not what would be released",
			change: func(c *clone) { c.write("store/more.go", "package store\n"); c.write("a.txt", "a") },
			want:   []string{"commit or remove a.txt and 1 others"},
		},
		"no version": {
			reason: "Go would not find a tag that is no semantic version",
			change: func(c *clone) { c.raise("app", "0.1"); c.commit("all: raise") },
			want:   []string{`app: "0.1" in versions.yaml is no semantic version such as v0.1.0`},
		},
		"build": {
			reason: "Go passes over what a plus appends",
			change: func(c *clone) { c.raise("app", "v0.1.0+linux"); c.commit("all: raise") },
			want:   []string{`app: "v0.1.0+linux"`},
		},
		"major": {
			reason: "from v2 on the version is a part of the module's path",
			change: func(c *clone) { c.raise("store/disk", "v2.0.0"); c.commit("all: raise") },
			want:   []string{"store/disk: the module's path " + prefix + "store/disk is not one for v2.0.0"},
		},
		"no such module": {
			reason: "a mistyped folder would leave its module out",
			change: func(c *clone) { c.replace("versions.yaml", "app:", "apps:"); c.commit("all: rename") },
			want:   []string{"versions.yaml names a module that is not there", "apps"},
		},
		"circle": {
			reason: "of two modules that require each other none can be tagged first",
			change: func(c *clone) {
				c.replace("store/go.mod", "go 1.26.0", "go 1.26.0\n\nrequire "+prefix+"app v0.1.0\n\nreplace "+prefix+"app => ../app")
				c.commit("store: require app")
			},
			want: []string{"app, store", "circle"},
		},
		"same": {
			reason: "Go keeps what a version contained the first time",
			change: func(c *clone) {
				c.tagAll()
				c.write("store/put.go", "package store\n"+added)
				c.commit("store: put")
			},
			want: []string{
				"store: 1 file changed, and versions.yaml still gives it v0.1.0, which is released: raise that to v0.1.1 or more",
				"app: requires store, which changed, and versions.yaml still gives it v0.1.0",
			},
		},
		"lower": {
			reason: "nobody gets a version that is lower than the one they have",
			change: func(c *clone) { c.tagAll(); c.raise("app", "v0.0.9"); c.commit("app: lower") },
			want:   []string{"app: v0.0.9 in versions.yaml is lower than v0.1.0, which is released"},
		},
		"taken": {
			reason: "a tag that somebody made elsewhere cannot be made again",
			change: func(c *clone) {
				c.tagAll()
				c.git("checkout", "-q", "-b", "other")
				c.write("other.txt", "other")
				c.commit("all: other")
				c.git("tag", "store/disk/v0.1.1")
				c.git("checkout", "-q", "main")
				c.replace("store/disk/disk.go", "package disk", "// Package disk turns.\npackage disk")
				c.raise("store/disk", "v0.1.1")
				c.commit("store/disk: say what it does")
			},
			want: []string{"store/disk: the tag store/disk/v0.1.1 is there already, on commit"},
		},
		"break": {
			reason: "before v1 a break needs a new minor version",
			change: func(c *clone) {
				c.tagAll()
				c.replace("store/store.go", "func Get(key string)", "func Get(key []byte)")
				c.replace("store/store.go", "return key", "return string(key)")
				c.replace("app/main.go", `store.Get("")`, "store.Get(nil)")
				c.raise("store", "v0.1.1")
				c.raise("app", "v0.1.1")
				c.commit("store: keys are bytes")
			},
			want: []string{"store: from v0.1.0 to v0.1.1 is too small a step", "Get: changed from func(string) string to func([]byte) string",
				"the next version is v0.2.0 or more"},
		},
		"package gone": {
			reason: "a package that is gone breaks all who import it",
			change: func(c *clone) {
				c.write("store/ram/ram.go", "package ram\n")
				c.commit("store: ram")
				c.tagAll()
				c.git("rm", "-q", "store/ram/ram.go")
				c.raise("store", "v0.1.1")
				c.raise("app", "v0.1.1")
				c.commit("store: without ram")
			},
			want: []string{"store: from v0.1.0 to v0.1.1 is too small a step", "ram"},
		},
		"does not compile": {
			reason: "an API that cannot be read cannot be compared",
			change: func(c *clone) {
				c.tagAll()
				c.write("store/put.go", "package store\n\nfunc Put() { undefined() }\n")
				c.raise("store", "v0.1.1")
				c.raise("app", "v0.1.1")
				c.commit("store: put")
			},
			want: []string{"store", "undefined"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClone(t)
			tc.change(c)
			planned, err := plan.Make(t.Context(), c.folder)
			if err == nil {
				t.Fatalf("%s. It is let through: %+v", tc.reason, planned.Released())
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s. Want %q in:\n%v", tc.reason, want, err)
				}
			}
		})
	}
}
