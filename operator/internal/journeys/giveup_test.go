package journeys

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// patch merges into an object.
func patch(t *testing.T, c client.Client, object client.Object, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Patch(context.Background(), object, client.RawPatch(types.MergePatchType, text)); err != nil {
		t.Fatal(err)
	}
}

// noFault ends every fault.
var noFault exports.Fault

// slowly lets a cluster serve disks so slowly that a test can do something meanwhile.
func slowly(t *testing.T, cluster, namespace string) {
	t.Helper()
	serve(t, cluster, exports.Fault{Namespace: namespace, BytesPerSecond: 2_000})
}

// serve lets a cluster serve disks badly until the test ends.
func serve(t *testing.T, cluster string, fault exports.Fault) {
	t.Helper()
	world.clusters[cluster].KubeVirt.SetExportFault(fault)
	t.Cleanup(func() { world.clusters[cluster].KubeVirt.SetExportFault(exports.Fault{}) })
}

// stays holds that the guest runs where it was, with its disks, and that the other cluster has
// nothing.
func (g *traveller) stays(cluster, other string) {
	g.t.Helper()
	g.runsIn(cluster)
	g.reads(cluster)
	g.gone(other)
	for _, kind := range []string{"export.kubevirt.io/v1beta1 VirtualMachineExport"} {
		if left := listed(context.Background(), cluster, g.key.Namespace, "export.kubevirt.io/v1beta1", "VirtualMachineExport"); len(left) > 0 {
			g.t.Errorf("%s has %s %v", cluster, kind, left)
		}
	}
}

func (g *traveller) abort() {
	g.t.Helper()
	patch(g.t, world.supervisor, g.wish(), map[string]any{"spec": map[string]any{"abort": true}})
}

// TestGivenUp gives moves up while the disks are copied, in each way that there is.
func TestGivenUp(t *testing.T) {
	o := observe(t)
	for name, c := range map[string]struct {
		reason string
		how    func(g *traveller)
	}{
		"Abort": {vitistackv1alpha1.ReasonMoveAborted, func(g *traveller) { g.abort() }},
		"StartedByHand": {vitistackv1alpha1.ReasonSourceStarted, func(g *traveller) {
			o.excuse(g.machine().UID)
			vm := g.vm(east)
			patch(g.t, world.remote[east], vm, map[string]any{"spec": map[string]any{"runStrategy": kubevirtv1.RunStrategyAlways}})
		}},
		"TakesTooLong": {vitistackv1alpha1.ReasonTimedOut, func(g *traveller) {
			serve(g.t, east, exports.Fault{Namespace: g.key.Namespace, Status: 401})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := arrive(t, east, "given-up-"+lower(name), nil)
			slowly(t, east, g.key.Namespace)
			g.moveTo(west, func(m *vitistackv1alpha1.MachineMove) { m.Spec.Timeouts.Copy = seconds(6) })
			g.copies()
			c.how(g)
			g.tells(vitistackv1alpha1.MovePhaseFailed, c.reason)
			g.stays(east, west)
		})
	}
}

// copies waits until the disks are being copied.
func (g *traveller) copies() {
	g.t.Helper()
	eventually.Eventually(g.t, patience, "the disks of "+g.key.Name+" are copied", func(context.Context) error {
		move := g.wish()
		if move.Status.Phase != vitistackv1alpha1.MovePhaseCopying || g.vm(west) == nil {
			return fmt.Errorf("it is %s, %s", move.Status.Phase, reasonOf(move))
		}
		return nil
	})
}

// TestMoveDeleted: a MachineMove that is deleted while the disks are copied is given up, and nobody
// is left who could tell it.
func TestMoveDeleted(t *testing.T) {
	observe(t)
	g := arrive(t, east, "move-deleted", nil)
	slowly(t, east, g.key.Namespace)
	g.moveTo(west)
	g.copies()
	if err := world.supervisor.Delete(t.Context(), g.wish()); err != nil {
		t.Fatal(err)
	}
	g.stays(east, west)
}

// TestMachineDeleted deletes Machines in the middle of their move: nothing is left anywhere.
func TestMachineDeleted(t *testing.T) {
	observe(t)
	g := arrive(t, east, "machine-deleted", nil)
	slowly(t, east, g.key.Namespace)
	g.moveTo(west)
	g.copies()
	if err := world.supervisor.Delete(t.Context(), g.machine()); err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "the Machine is gone", func(ctx context.Context) error {
		err := world.supervisor.Get(ctx, g.key, &vitistackv1alpha1.Machine{})
		if err == nil {
			return fmt.Errorf("it is there")
		}
		return client.IgnoreNotFound(err)
	})
	g.gone(west)
	g.gone(east)
	g.tells(vitistackv1alpha1.MovePhaseFailed, vitistackv1alpha1.ReasonMoveAborted)
}

// TestBadTransfers: what is served badly for a while arrives whole all the same.
func TestBadTransfers(t *testing.T) {
	observe(t)
	for name, fault := range map[string]exports.Fault{
		"BreaksOff":  {BreakAfter: 30_000, Times: 2},
		"EndsEarly":  {EndAfter: 1_000, Times: 2},
		"Corrupt":    {Corrupt: true, Times: 1},
		"Refused":    {Status: 401, Times: 2},
		"Overloaded": {Status: 503, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			g := arrive(t, east, "badly-"+lower(name), nil)
			fault.Namespace = g.key.Namespace
			serve(t, east, fault)
			g.moveTo(west)
			g.tells(vitistackv1alpha1.MovePhaseSucceeded, "")
			g.runsIn(west)
			g.reads(west)
			g.gone(east)
		})
	}
}

// TestTargetFull: what does not fit is told, and the guest goes back.
func TestTargetFull(t *testing.T) {
	observe(t)
	g := arrive(t, east, "target-full", nil)
	world.clusters[west].KubeVirt.SetImportRoom(1000)
	t.Cleanup(func() { world.clusters[west].KubeVirt.SetImportRoom(-1) })
	g.moveTo(west, func(m *vitistackv1alpha1.MachineMove) { m.Spec.Timeouts.Copy = seconds(10) })
	g.tells(vitistackv1alpha1.MovePhaseCopying, vitistackv1alpha1.ReasonImportFailing)
	g.tells(vitistackv1alpha1.MovePhaseFailed, vitistackv1alpha1.ReasonTimedOut)
	g.stays(east, west)
}
