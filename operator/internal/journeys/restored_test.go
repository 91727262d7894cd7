package journeys

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestRestoredSource restores the source cluster to what it was before a Machine was moved away: the
// virtual machine that comes back is stopped, kept, and told; the Machine stays where it is.
func TestRestoredSource(t *testing.T) {
	o := observe(t)
	g := arrive(t, north, "restored-source", nil)
	backup := filepath.Join(t.TempDir(), "north.snapshot")
	if err := world.clusters[north].Snapshot(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	g.moveTo(west)
	g.tells(vitistackv1alpha1.MovePhaseSucceeded, "")
	g.runsIn(west)
	g.gone(north)
	vm := g.vm(west)
	o.excuse(g.machine().UID) // for the moment in which the backup has brought it back
	bumped := controlplane.RestoreOptions{BumpRevision: true}
	if err := world.clusters[north].Restore(t.Context(), backup, bumped); err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "what the backup brought back is stopped", func(context.Context) error {
		returned := g.vm(north)
		switch {
		case returned == nil:
			return fmt.Errorf("it is not back yet")
		case returned.Spec.RunStrategy == nil || *returned.Spec.RunStrategy != kubevirtv1.RunStrategyHalted:
			return fmt.Errorf("its run strategy is %v", returned.Spec.RunStrategy)
		case len(listed(context.Background(), north, g.key.Namespace, "kubevirt.io/v1", "VirtualMachineInstance")) > 0:
			return fmt.Errorf("it runs")
		}
		return nil
	})
	g.runsIn(west)
	g.reads(west)
	if after := g.vm(west); after == nil || after.UID != vm.UID || after.Generation != vm.Generation {
		t.Errorf("the guest in %s was touched", west)
	}
}
