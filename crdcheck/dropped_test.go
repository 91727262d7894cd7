package crdcheck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestDroppedKeys: what the API server drops from a definition is a check that its author believes
// in.
func TestDroppedKeys(t *testing.T) {
	const size = "size: {type: integer, format: int32, minimum: 1}"
	const spec = "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties."
	cases := map[string]struct {
		reason   string
		old, now string
		want     []string
	}{
		"everything known": {
			reason: "what a server writes into a definition is no mistake of its author",
			old:    "metadata: {name: widgets.example.com}",
			now:    "metadata: {name: widgets.example.com, creationTimestamp: null, managedFields: [{fieldsV1: {f:a: {}}}]}",
		},
		"a keyword": {
			reason: "a bound that is misspelt bounds nothing",
			old:    size, now: "size: {type: integer, minimun: 1}",
			want: []string{"21 " + spec + "size.minimun"},
		},
		"a keyword in another case": {
			reason: "the API server tells them apart",
			old:    size, now: "size: {type: integer, Minimum: 1}",
			want: []string{"21 " + spec + "size.Minimum"},
		},
		"below items": {
			reason: "the API server's own strict decoding does not look there",
			old:    "{type: object, properties: {name: {type: string}}}",
			now:    "{type: object, properties: {name: {type: string, maxLenght: 3}}}",
			want:   []string{"25 " + spec + "parts.items.properties.name.maxLenght"},
		},
		"below additionalProperties": {
			reason: "the values of a map have a schema of their own",
			old:    "additionalProperties: {type: string}", now: "additionalProperties: {type: string, patern: a}",
			want: []string{"26 " + spec + "tags.additionalProperties.patern"},
		},
		"in a version": {
			reason: "a version that nobody serves was meant to be served",
			old:    "    served: true\n    storage: false", now: "    sevred: true\n    storage: false",
			want: []string{"34 spec.versions[1].sevred"},
		},
		"a field that is called as a keyword is misspelt": {
			reason: "names of fields, defaults and examples are the author's own",
			old:    size, now: "minimun: {type: object, default: {maxLenght: 3}, example: {patern: a}}",
		},
		"brought in by an alias": {
			reason: "the key stands where the anchor is",
			old:    size, now: "size: &size {type: integer, minimun: 1}\n              other: *size",
			want: []string{"21 " + spec + "other.minimun", "21 " + spec + "size.minimun"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.TrimPrefix(strings.Replace(widgets, tc.old, tc.now, 1), "\n")
			if text == strings.TrimPrefix(widgets, "\n") {
				t.Fatalf("%q is not in the definition", tc.old)
			}
			read, err := crdcheck.LoadStream(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, keysOf(read)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDroppedKeysOfLists: a list and JSON have lines too, and a second document counts on.
func TestDroppedKeysOfLists(t *testing.T) {
	const list = `kind: Namespace
---
apiVersion: v1
kind: List
items:
- apiVersion: apiextensions.k8s.io/v1
  kind: CustomResourceDefinition
  metadata: {name: boats.harbour.example}
  spec:
    group: harbour.example
    scop: Namespaced
    names: {plural: boats, kind: Boat}
    versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "a.b"},
 "spec": {"group": "b", "names": {"plural": "a"}, "versions": [{"name": "v1"}],
  "scop": "x"}}
`
	read, err := crdcheck.LoadStream(strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"11 spec.scop", "17 spec.scop"}, keysOf(read)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func keysOf(read crdcheck.Stream) []string {
	var all []string
	for _, key := range read.Dropped {
		all = append(all, fmt.Sprintf("%d %s", key.Line, key.Key))
	}
	return all
}
