package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestDecode(t *testing.T) {
	cases := map[string]struct {
		reason string
		stream string
		want   []string
		fails  string
	}{
		"Empty":         {reason: "nothing is no error", stream: ""},
		"CommentsAlone": {reason: "a licence header is no object", stream: "# licence\n---\n# more\n"},
		"Several": {reason: "in the order given",
			stream: "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n", want: []string{"A a", "B b"}},
		"EmptyBetween": {reason: "generators leave separators", stream: "---\n---\nkind: A\nmetadata: {name: a}\n---\n",
			want: []string{"A a"}},
		"JSON": {reason: "JSON is YAML", stream: `{"kind":"A","metadata":{"name":"a"}}`, want: []string{"A a"}},
		"NotYAML": {reason: "a broken manifest is not half applied", stream: "kind: A\n\tname: b\n",
			fails: "reading manifests"},
		"LongDocument": {reason: "definitions have lines beyond any buffer",
			stream: "kind: A\nmetadata: {name: a}\ntext: " + strings.Repeat("x", 1<<20), want: []string{"A a"}},
		"NotEvenAnObject": {reason: "a list is no object", stream: "- a\n- b\n", fails: "reading manifests"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			objects, err := Decode([]byte(tc.stream))
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("\n%s\nDecode() = %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("\n%s\n%v", tc.reason, err)
			}
			var got []string
			for _, object := range objects {
				got = append(got, object.GetKind()+" "+object.GetName())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nobjects: -want +got\n%s", tc.reason, diff)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	objects, err := Decode([]byte(`
kind: CustomResourceDefinition
spec:
  group: vitistack.io
  names: {kind: Machine, plural: machines}
  versions:
  - {name: v1, served: true}
  - {name: v1alpha1, served: true}
  - {name: v0, served: false}
  - {name: v9}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []schema.GroupVersionKind{
		{Group: "vitistack.io", Version: "v1", Kind: "Machine"},
		{Group: "vitistack.io", Version: "v1alpha1", Kind: "Machine"},
	}
	if diff := cmp.Diff(want, kinds(*objects[0])); diff != "" {
		t.Errorf("kinds that are waited for: -want +got\n%s", diff)
	}
}
