package render_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

const boats = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.harbour.example}
spec:
  group: harbour.example
  scope: Namespaced
  names: {plural: boats, kind: Boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {mast: {type: string}}}}}}
`

// at has a cluster with boats after replacements in their YAML.
func at(t *testing.T, cluster string, replacements ...string) crdcheck.Snapshot {
	t.Helper()
	crds, err := crdcheck.Load(strings.NewReader(strings.NewReplacer(replacements...).Replace(boats)))
	if err != nil {
		t.Fatal(err)
	}
	return crdcheck.Observed(cluster, crds...)
}

func diff(t *testing.T, d render.Document) string {
	t.Helper()
	var text bytes.Buffer
	if err := render.Diff(&text, d, false); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestDiff: clusters with the same difference are told together, each with the later of the two
// changes that made it; those that agree are counted.
func TestDiff(t *testing.T) {
	short := []string{"mast: {type: string}", "mast: {type: string, maxLength: 9}"}
	place := func(cluster string) render.Place { return render.Place{Cluster: cluster, CRD: "boats.harbour.example"} }
	got := diff(t, render.Document{
		Question: "fleet",
		Report: crdcheck.Fleet([]crdcheck.Snapshot{
			at(t, "east"), at(t, "equal"), at(t, "north", short...), at(t, "south", short...),
			at(t, "odd", "mast: {type: string}", "mast: {type: integer}"), crdcheck.Observed("bare"),
			crdcheck.Unobserved("west", "no answer in time"),
		}, []string{"boats.harbour.example"}),
		Changed: map[render.Place]render.Changed{
			place("east"):  {At: "2026-11-28T12:00:00Z", Age: "2d", By: "helm"},
			place("north"): {At: "2026-11-30T10:00:00Z", Age: "2h", By: "virt-operator"},
			place("south"): {At: "2026-11-17T00:00:00Z", Age: "13d", By: "kubectl"},
		},
	})
	want := `⚠️ 7 clusters, 1 definition: 4 clusters differ in 1 definition, 1 could not be read
boats.harbour.example, compared with east
   bare
      error: the CRD is missing
   north, since 2026-11-30 10:00:00Z (2h ago), when virt-operator changed it
   south, since 2026-11-28 12:00:00Z (2d ago), when helm changed east
      error: v1: spec.mast: maxLength tightened: 9, in the baseline none
   odd
      error: v1: spec.mast: type changed: integer, in the baseline string
west could not be read: no answer in time
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDiffOfManyIsOneScreen: what does not fit is counted.
func TestDiffOfManyIsOneScreen(t *testing.T) {
	snapshots := []crdcheck.Snapshot{}
	var names []string
	var many [2][]string
	for n := range 30 {
		name := fmt.Sprintf("boats%02d.harbour.example", n)
		names = append(names, name)
		for side, kind := range []string{"string", "integer"} {
			many[side] = append(many[side], strings.NewReplacer(
				"name: boats.", "name: "+name[:7]+".", "plural: boats", "plural: "+name[:7], "mast: {type: string", "mast: {type: "+kind,
			).Replace(boats))
		}
	}
	for side := range many {
		crds, err := crdcheck.Load(strings.NewReader(strings.Join(many[side], "---")))
		if err != nil {
			t.Fatal(err)
		}
		for copied := range 1 + 8*side {
			snapshots = append(snapshots, crdcheck.Observed(fmt.Sprintf("cluster%d%d", side, copied), crds...))
		}
	}
	got := diff(t, render.Document{Question: "fleet", Report: crdcheck.Fleet(snapshots, names)})
	if lines := strings.Count(got, "\n"); lines > 44 {
		t.Errorf("%d lines:\n%s", lines, got)
	}
	for _, want := range []string{"10 clusters, 30 definitions: 9 clusters differ in 30 definitions\n", "   and 4 more clusters\n", "more definitions differ"} {
		if !strings.Contains(got, want) {
			t.Errorf("not told: %q in\n%s", want, got)
		}
	}
}

// TestDiffOfNothing: a fleet that agrees is one line.
func TestDiffOfNothing(t *testing.T) {
	report := crdcheck.Fleet([]crdcheck.Snapshot{at(t, "east"), at(t, "west")}, []string{"boats.harbour.example"})
	want := "✅ 2 clusters, 1 definition: all agree\n"
	if got := diff(t, render.Document{Report: report}); got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
