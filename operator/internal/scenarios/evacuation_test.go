package scenarios

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestEvacuation asks for one Machine of a cluster, with the documented rights. The process is killed
// on the way: the one that comes after makes no second MachineMove, and goes on by the first.
func TestEvacuation(t *testing.T) {
	ns := namespace(t, "evacuation")
	operator := startOperator(t)
	web, db := machine(ns, "web", "cluster-east"), machine(ns, "db", "cluster-east")
	web.Labels = map[string]string{"evacuate": "me"}
	create(t, web)
	create(t, db)
	eventually(t, patience, func() string {
		return notRunning(t, web, "cluster-east") + notRunning(t, db, "cluster-east")
	})
	evacuation := &vitistackv1alpha1.Evacuation{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: "east"}}
	evacuation.Spec = vitistackv1alpha1.EvacuationSpec{Config: "cluster-east",
		Selector: &metav1.LabelSelector{MatchLabels: web.Labels}}
	create(t, evacuation)
	t.Cleanup(func() { _ = supervisor().Delete(context.WithoutCancel(t.Context()), evacuation) })
	made := func() (names []string) {
		t.Helper()
		moves := &vitistackv1alpha1.MachineMoveList{}
		if err := supervisor().List(t.Context(), moves, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		for _, move := range moves.Items {
			if move.Labels[vitistackv1alpha1.LabelEvacuation] != string(evacuation.UID) {
				t.Errorf("MachineMove %s is of no Evacuation", move.Name)
			}
			names = append(names, move.Spec.MachineName+" "+move.Name)
		}
		return names
	}
	counted := func() string {
		if err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(evacuation), evacuation); err != nil {
			t.Fatal(err)
		}
		status := evacuation.Status
		if status.ObservedGeneration != evacuation.Generation || status.Total != 1 || len(made()) != 1 {
			return fmt.Sprintf("%+v, %v", status, made())
		}
		return ""
	}
	eventually(t, patience, counted)
	first := made()

	operator.stop(t, syscall.SIGKILL)
	before := evacuation.DeepCopy()
	evacuation.Spec.MaxInFlight = 8
	if err := supervisor().Patch(t.Context(), evacuation, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	operator.start(t)
	eventually(t, patience, counted)
	if now := made(); fmt.Sprint(now) != fmt.Sprint(first) {
		t.Errorf("there were %v, and are %v", first, now)
	}
	for _, object := range []client.Object{evacuation, web, db} {
		remove(t, object)
	}
	eventually(t, patience, func() string { return notGone(t, web) + notGone(t, db) })
}
