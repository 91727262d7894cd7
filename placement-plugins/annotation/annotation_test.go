package annotation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/annotation"
)

func TestConformance(t *testing.T) { placementtest.Run(t, annotation.Strategy{}) }

// TestPlace covers Option 1 of docs/specification.md. Package placement has the other cases.
func TestPlace(t *testing.T) {
	got, err := annotation.Strategy{}.Place(t.Context(), placement.Request{
		Machine: placement.Machine{Reference: placement.Reference{Annotation: "cluster-west"}},
	})
	want := placement.Decision{Config: "cluster-west", Reason: "named by annotation vitistack.io/kubevirt-config"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Place(): %v; -want, +got:\n%s", err, diff)
	}
}
