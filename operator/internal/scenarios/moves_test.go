package scenarios

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestAbortedMoveCostsNothing: a move that could not begin is looked at again ever more seldom. Once it
// is aborted, the time at which it would have been looked at next comes, and nothing is asked then.
func TestAbortedMoveCostsNothing(t *testing.T) {
	ns := namespace(t, "aborted-move")
	startOperator(t)
	web := machine(ns, "web", "cluster-east")
	create(t, web)
	eventually(t, patience, func() string { return notRunning(t, web, "cluster-east") })
	move := &vitistackv1alpha1.MachineMove{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nowhere"},
		Spec: vitistackv1alpha1.MachineMoveSpec{MachineName: "web", To: "cluster-east"}}
	create(t, move)
	becomes := func(want vitistackv1alpha1.MovePhase) {
		t.Helper()
		eventually(t, patience, func() string {
			if err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(move), move); err != nil {
				t.Fatal(err)
			}
			if move.Status.Phase != want {
				return fmt.Sprintf("the move is %q, want %q", move.Status.Phase, want)
			}
			return ""
		})
	}
	becomes(vitistackv1alpha1.MovePhasePending)
	before := move.DeepCopy()
	move.Spec.Abort = true
	if err := supervisor().Patch(t.Context(), move, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	becomes(vitistackv1alpha1.MovePhaseFailed)
	asked := func() int {
		return len(callsIn(t, world.fleet.Supervisor, func(c call) bool { return c.ObjectRef.Namespace == ns }))
	}
	time.Sleep(time.Second) // what the abort itself costs
	after := asked()
	time.Sleep(20 * time.Second) // it would have been looked at again after 15
	if now := asked(); now != after {
		t.Errorf("%d calls for a Machine at rest whose move is over", now-after)
	}
}
