package crdcheck_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func TestLoad(t *testing.T) {
	gadgets := strings.NewReplacer("widget", "gadget", "Widget", "Gadget").Replace(widgets)
	indented := strings.ReplaceAll(strings.TrimSpace(widgets), "\n", "\n  ")
	cases := map[string]struct {
		reason, stream string
		want           []string
		failed         []string
	}{
		"empty input": {reason: "an empty input is not an error"},
		"several documents": {
			reason: "every document is read, not only the first, and the result is sorted",
			stream: widgets + "---\n" + gadgets, want: []string{"gadgets.example.com", "widgets.example.com"},
		},
		"other kinds in between": {
			reason: "the manifests of a release hold other kinds, comments and empty documents",
			stream: "# comment\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n\n---" + widgets + "---\n",
			want:   []string{"widgets.example.com"},
		},
		"list": {
			reason: "the output of kubectl get is one list",
			stream: "apiVersion: v1\nkind: List\nitems:\n- " + indented + "\n", want: []string{"widgets.example.com"},
		},
		"JSON": {reason: "JSON is YAML too", stream: `{"kind":"List","items":[]}`},
		"JSON with escapes that YAML lacks": {
			reason: "a program that writes JSON may write a slash and a letter beyond 16 bits as it likes",
			stream: `{"kind": "Note", "text": "a\/b \ud83d\ude00"}`,
		},
		"flow mapping": {
			reason: "what begins with a brace is not always JSON",
			stream: "{kind: Namespace, metadata: {name: x}}\n---\n" + widgets, want: []string{"widgets.example.com"},
		},
		"document behind the separator": {
			reason: "YAML may begin in the line of its separator; it was passed over without a word",
			stream: "kind: Namespace\n--- {kind: Widget, kind: Gadget}\n",
			failed: []string{`line 2, document 2: key "kind" is there twice, first in line 2: a separator (---) is missing`},
		},
		"end of document": {
			reason: "three dots end a document; what came behind them was passed over without a word",
			stream: "kind: Namespace\n...\n" + widgets, want: []string{"widgets.example.com"},
		},
		"separator forgotten": {
			reason: "of two definitions in one document the first was gone without a word, since its keys are there twice",
			stream: widgets + gadgets,
			failed: []string{
				`line 46, document 1: key "apiVersion" is there twice, first in line 2: a separator (---) is missing`,
			},
		},
		"key given twice": {
			reason: "of two values of a key nobody knows which is meant; each is told with its line",
			stream: "# comment\n---\nkind: Widget\nspec:\n  list:\n  - {a: 1, a: 2}\n  size: 1\n  size: 2\n",
			failed: []string{
				`line 6, document 2: key "spec.list[].a" is there twice, first in line 6`,
				`line 8, document 2: key "spec.size" is there twice, first in line 7`,
			},
		},
		"key given twice in JSON": {
			reason: "JSON parsers too keep the last value alone",
			stream: "{}\n---\n" + `{"kind": "Widget", "spec": {"list": [{"a": 1, "a": 2}]}}`,
			failed: []string{`line 3, document 2: duplicate field "spec.list[0].a"`},
		},
		"JSON without separators": {
			reason: "jq writes objects one behind the other; all but the first were passed over without a word",
			stream: "{}\n{\"a\": 1}\n\n[]\n{\"kind\": \"Widget\", \"kind\": \"Gadget\"}\n",
			failed: []string{
				"line 4, document 3: is a list, not an object: []",
				`line 5, document 4: duplicate field "kind"`,
			},
		},
		"flow mappings without separators": {
			reason: "of two objects the second was passed over without a word",
			stream: "{kind: Widget}\n{kind: Gadget}\n",
			failed: []string{"line 1, document 1: more stands behind the end of the object: this is no YAML, or a separator"},
		},
		"merged key given again": {
			reason: "a key that a merge brings in may be given again: that is what merges are for",
			stream: "kind: Widget\nbase: &base {x: 1, y: 2}\nspec: {<<: *base, x: 3}\n",
		},
		"no objects": {
			reason: "a text, a list or a number is no manifest; the error was one of a Go type",
			stream: "just words\n---\n- a\n- b\n---\n7\n---\ntrue\n---\nnull\n---\nkind: List\nitems: [x]\n",
			failed: []string{
				`line 1, document 1: is a string, not an object: "just words"`,
				`line 3, document 2: is a list, not an object: ["a","b"]`,
				"line 6, document 3: is a number, not an object: 7",
				"line 8, document 4: is true or false, not an object: true",
				`line 12, document 6: item 0: is a string, not an object: "x"`,
			},
		},
		"definition given twice": {
			reason: "of two definitions of one name it is unknown which one is meant",
			stream: widgets + "---" + widgets,
			want:   []string{"widgets.example.com"},
			failed: []string{"line 46, document 2: a second definition of widgets.example.com"},
		},
		"definition of v1beta1": {
			reason: "a definition that is skipped without a word would look like a missing CRD",
			stream: strings.Replace(widgets, "io/v1", "io/v1beta1", 1),
			failed: []string{
				`line 1, document 1: apiVersion "apiextensions.k8s.io/v1beta1" of a CustomResourceDefinition ` +
					`is not apiextensions.k8s.io/v1`,
			},
		},
		"name that does not fit": {
			reason: "a definition that the server would refuse is told",
			stream: strings.Replace(widgets, "widgets.example.com", "widget.example.com", 1),
			failed: []string{
				`line 1, document 1: name "widget.example.com" of a CustomResourceDefinition is not "widgets.example.com"`,
			},
		},
		"patch of a definition": {
			reason: "a folder for kustomize holds patches; the name was told to be another, which helps nobody",
			stream: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b}\n" +
				"spec: {conversion: {strategy: None}}",
			failed: []string{"line 1, document 1: a.b has no group, no plural and no versions: is it a patch?"},
		},
		"no versions": {
			reason: "a definition that the server would refuse is told",
			stream: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b}\n" +
				"spec: {group: b, names: {plural: a}}",
			failed: []string{"line 1, document 1: a.b has no versions"},
		},
		"version given twice": {
			reason: "a definition with two versions of one name is told",
			stream: strings.Replace(widgets, "name: v1beta1", "name: v1", 1),
			failed: []string{"line 1, document 1: widgets.example.com has version v1 twice"},
		},
		"several broken documents": {
			reason: "every broken document is named, and the good ones are there",
			stream: "kind: [\n---\n" + widgets + "---\nkind: List\nitems: [{kind: CustomResourceDefinition}]\n",
			want:   []string{"widgets.example.com"},
			failed: []string{"line 1, document 1: ", "line 48, document 3: item 0: "},
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			crds, err := crdcheck.Load(strings.NewReader(tc.stream))
			var names []string
			for _, crd := range crds {
				names = append(names, crd.Name)
			}
			if diff := cmp.Diff(tc.want, names); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			failed := &multierror.Error{}
			if errors.As(err, &failed) != (len(tc.failed) > 0) || failed.Len() != len(tc.failed) {
				t.Fatalf("%s: want %d failures, got %v", tc.reason, len(tc.failed), err)
			}
			for i, want := range tc.failed {
				if !strings.HasPrefix(failed.Errors[i].Error(), want) {
					t.Errorf("%s: want an error that begins with %q, got %q", tc.reason, want, failed.Errors[i])
				}
			}
		})
	}
}

// TestLoadBounds: what is made to exhaust a reader ends with an error that says where.
func TestLoadBounds(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		bomb += fmt.Sprintf(
			"a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "),
		)
	}
	deep := strings.Repeat("{type: object, properties: {x: ", 5000) + "{}" + strings.Repeat("}}", 5000)
	branches := strings.Repeat("{allOf: [", 5000) + "{}" + strings.Repeat("]}", 5000)
	anchor := "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b}\n" +
		"spec: &s {group: b, names: {plural: a}, versions: [*s]}"
	for label, stream := range map[string]string{
		"Bomb": "---\n" + bomb + strings.Repeat("# padding\n", 1<<20), "Anchor": anchor, "Large": strings.Repeat("#", 65<<20),
	} {
		crds, err := crdcheck.Load(strings.NewReader(stream))
		if err == nil || len(crds) > 0 {
			t.Errorf("%s: %d definitions, %v", label, len(crds), err)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%s: an error of %d bytes", label, len(err.Error()))
		}
	}
	for label, schema := range map[string]string{"Deep": deep, "Branches": branches} {
		crds, err := crdcheck.Load(strings.NewReader(strings.Replace(widgets, "phase: {type: string}", "phase: "+schema, 1)))
		if err != nil {
			continue // refused by the parser already
		}
		report := crdcheck.Fleet([]crdcheck.Snapshot{crdcheck.Observed("a", crds...)}, []string{"widgets.example.com"})
		if report.OK() || !strings.Contains(report.Findings[0].Why, "nested in more than") {
			t.Errorf("%s: want an unknown cluster, got %+v", label, report.Findings)
		}
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

func TestLoadPassesReadErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	if _, err := crdcheck.Load(brokenReader{broken}); !errors.Is(err, broken) {
		t.Errorf("want %v, got %v", broken, err)
	}
}

// FuzzLoad: whatever is read, nothing panics, and what was loaded agrees with itself and with a
// second reading.
func FuzzLoad(f *testing.F) {
	f.Add(widgets)
	f.Add(widgets + "---" + widgets)
	f.Add("kind: List\nitems: [{kind: List, items: [1, null, {}]}]")
	f.Add(strings.Replace(widgets, "type: object", "type: object, allOf: [{not: {}}, {}], anyOf: []", 1))
	f.Add(strings.Replace(widgets, "{type: array", "{type: array, items: [{type: string}, {}], additionalItems: false", 1))
	f.Add(strings.Replace(widgets, "additionalProperties: {type: string}", "additionalProperties: true", 1))
	files, err := filepath.Glob("render/testdata/*/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("seeds: %v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Fuzz(func(t *testing.T, stream string) {
		crds, _ := crdcheck.Load(strings.NewReader(stream))
		again, _ := crdcheck.Load(strings.NewReader(stream))
		var names []string
		for _, crd := range crds {
			names = append(names, crd.Name)
		}
		report := crdcheck.Fleet(
			[]crdcheck.Snapshot{crdcheck.Observed("east", crds...), crdcheck.Observed("west", again...)}, names,
		)
		if !report.OK() {
			t.Errorf("two readings differ: %+v", report.Findings)
		}
		crdcheck.Require(
			crdcheck.Observed("east", crds...),
			[]crdcheck.Requirement{
				{CRD: "widgets.example.com", Version: "v1", Fields: []crdcheck.Field{crdcheck.Reads(stream)}},
			},
		)
	})
}
