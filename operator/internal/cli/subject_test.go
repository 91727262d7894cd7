package cli

import (
	"strings"
	"testing"
)

// TestSubjectOf reads what explain is asked about.
func TestSubjectOf(t *testing.T) {
	const head = "apiVersion: vitistack.io/v1alpha1\nkind: Machine\n"
	cases := map[string]struct {
		reason string
		args   []string
		file   string
		input  string
		want   string // namespace/name
		err    string
	}{
		"name": {reason: "a Machine that exists has a key", args: []string{"team-a/web"}, want: "team-a/web"},
		"file": {
			reason: "a Machine of a file needs no UID and no status, and kubectl's namespace is default",
			file:   "-", input: head + "metadata: {name: web}\nspec: {instanceType: medium}\n", want: "default/web",
		},
		"neither": {reason: "nothing is asked", err: "want either NAMESPACE/NAME or -f FILE"},
		"both": {
			reason: "two Machines are asked about",
			args:   []string{"team-a/web"}, file: "-", err: "want either NAMESPACE/NAME or -f FILE",
		},
		"name without a namespace": {reason: "half a key", args: []string{"web"}, err: `"web" is not NAMESPACE/NAME`},
		"another kind": {
			reason: "a file of another kind is told",
			file:   "-", input: "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n", err: `got kind "Pod" of "v1"`,
		},
		"field that is misspelt": {
			reason: "what the API server would prune or refuse is told",
			file:   "-", input: head + "metadata: {name: web}\nspec: {instancetyp: medium}\n", err: `unknown field "instancetyp"`,
		},
		"no name": {reason: "a Machine without a name has no virtual machine", file: "-", input: head, err: "metadata.name is empty"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := subjectOf(tc.args, tc.file, strings.NewReader(tc.input))
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("%s: %v, want %q", tc.reason, err, tc.err)
			}
			key := got.key.String()
			if got.wanted != nil {
				key = got.wanted.Namespace + "/" + got.wanted.Name
			}
			if err == nil && key != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, key, tc.want)
			}
		})
	}
}
