package scenarios

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestEditedClass: a class that is edited changes no Machine, and tells how many differ from it. A
// rollout, with the documented rights, resizes the one of them that is chosen. It is switched off, so
// that there is no guest to restart.
func TestEditedClass(t *testing.T) {
	ns := namespace(t, "edited-class")
	startOperator(t)
	class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "edited-class"}}
	class.Spec.CPU.Cores, class.Spec.Memory.Quantity = 1, resource.MustParse("1Gi")
	create(t, class)
	t.Cleanup(func() { _ = supervisor().Delete(context.WithoutCancel(t.Context()), class) })
	off := func(name string) *vitistackv1alpha1.Machine {
		m := machine(ns, name, "cluster-east")
		m.Spec.InstanceType, m.Spec.RunStrategy = class.Name, vitistackv1alpha1.RunStrategyHalted
		m.Labels = map[string]string{"name": name}
		create(t, m)
		return m
	}
	web, db := off("web"), off("db")
	counted := func(want string) {
		t.Helper()
		eventually(t, patience, func() string {
			if err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(class), class); err != nil {
				t.Fatal(err)
			}
			status := class.Status
			if readable(status) != want {
				return fmt.Sprintf("%s differ: want %s", readable(status), want)
			}
			return ""
		})
	}
	for _, m := range []*vitistackv1alpha1.Machine{web, db} {
		eventually(t, patience, func() string { return notInPhase(t, m, vitistackv1alpha1.MachinePhaseStopped) })
	}
	counted("0 of 2")
	before := class.DeepCopy()
	class.Spec.CPU.Cores = 2
	if err := supervisor().Patch(t.Context(), class, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	counted("2 of 2")

	rollout := &vitistackv1alpha1.MachineRollout{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "web"}}
	rollout.Spec = vitistackv1alpha1.MachineRolloutSpec{Action: vitistackv1alpha1.RolloutResize, Class: class.Name,
		Selector: &metav1.LabelSelector{MatchLabels: web.Labels}}
	create(t, rollout)
	eventually(t, patience, func() string {
		if err := supervisor().Get(t.Context(), client.ObjectKeyFromObject(rollout), rollout); err != nil {
			t.Fatal(err)
		}
		if rollout.Status.Phase != vitistackv1alpha1.RolloutSucceeded {
			return fmt.Sprintf("%+v", rollout.Status)
		}
		return ""
	})
	if status := rollout.Status; status.Updated != 1 || status.Total != 1 {
		t.Errorf("%+v", status)
	}
	if web, db = read(t, web), read(t, db); web.Status.CPUs != 2 || db.Status.CPUs != 1 {
		t.Errorf("web has %d processors and db %d, want 2 and 1", web.Status.CPUs, db.Status.CPUs)
	}
	counted("1 of 2")
	remove(t, web)
	remove(t, db)
	eventually(t, patience, func() string { return notGone(t, web) + notGone(t, db) })
}

// readable is the use of a class, where it is told.
func readable(status vitistackv1alpha1.MachineClassStatus) string {
	if status.Machines == nil || status.Outdated == nil {
		return "nobody says how many"
	}
	return fmt.Sprintf("%d of %d", *status.Outdated, *status.Machines)
}
