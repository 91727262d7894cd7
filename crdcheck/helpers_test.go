package crdcheck_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

var update = flag.Bool("update", false, "write the golden files")

// show writes a report as people read it, below a title.
func show(t *testing.T, shown *bytes.Buffer, title string, report crdcheck.Report) {
	t.Helper()
	shown.WriteString(title + "\n")
	if err := render.Text(shown, report); err != nil {
		t.Fatal(err)
	}
}

// golden compares with a file, which -update writes anew.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got:\n%s", file, diff)
	}
}

// widgets is a CRD with every shape of path: lists, maps, fields with dots, a subtree that keeps
// what it does not know, and a second version.
const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A widget.
        properties:
          spec:
            type: object
            required: [size, colour]
            properties:
              size: {type: integer, format: int32, minimum: 1}
              colour: {type: string, enum: [red, green]}
              parts:
                type: array
                items: {type: object, properties: {name: {type: string}}}
              tags: {type: object, additionalProperties: {type: string}}
              "dotted.name": {type: object, properties: {inner: {type: string}}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: string}}}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
          status:
            type: object
            properties: {phase: {type: string}}
  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1alpha1
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object}}
status:
  storedVersions: [v1beta1, v1]
`

// widget returns the CRD of widgets after replacements in its YAML, given as old, new, old, new.
func widget(t testing.TB, replacements ...string) apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text := widgets
	for i := 0; i+1 < len(replacements); i += 2 {
		if !strings.Contains(text, replacements[i]) {
			t.Fatalf("%q is not in the YAML", replacements[i])
		}
		text = strings.Replace(text, replacements[i], replacements[i+1], 1)
	}
	crds, err := crdcheck.Load(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(crds) != 1 {
		t.Fatalf("%d CRDs in the YAML", len(crds))
	}
	return crds[0]
}

// brief is a finding without what follows from its rule.
type brief struct {
	Rule                  crdcheck.RuleID
	Cluster, CRD, Version string
	Path                  string
	Direction             crdcheck.Direction
	Old, New              string
	Severity              crdcheck.Severity
}

func briefs(report crdcheck.Report) []brief {
	var all []brief
	for _, f := range report.Findings {
		all = append(all, brief{f.Rule, f.Cluster, f.CRD, f.Version, f.Path, f.Direction, f.Old, f.New, f.Severity()})
	}
	return all
}

type crdDefinition = apiextensionsv1.CustomResourceDefinition
