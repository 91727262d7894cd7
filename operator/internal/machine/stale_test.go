package machine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestClosedConfig: what is paused or being deleted takes no new Machine, and keeps looking after
// those that it has.
func TestClosedConfig(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.KubevirtConfig)
		want   outcome
	}{
		"Paused": {
			reason: "spec.paused stops new placements",
			change: func(c *vitistackv1alpha1.KubevirtConfig) { c.Spec.Paused = true }, want: pending("Paused"),
		},
		"Terminating": {
			reason: "a cluster that goes takes nobody",
			change: terminating, want: pending("ConfigTerminating"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: east}}
			tc.change(config)
			w := newWorld(t, []string{east, west}, newMachine(in(east)))
			w.manager.AddMockedConfig(config)
			result := w.mustSettle()
			if diff := cmp.Diff(tc.want, w.outcome().without(tc.want)); diff != "" || result.RequeueAfter == 0 {
				t.Errorf("%s; again after %v (-want +got):\n%s", tc.reason, result.RequeueAfter, diff)
			}
			old := placed(t)
			old.manager.AddMockedConfig(config)
			old.run(east)
			old.mustSettle()
			if got := old.machine().Status.Phase; got != vitistackv1alpha1.MachinePhaseRunning {
				t.Errorf("a Machine that is there already is %s", got)
			}
		})
	}
}

func terminating(c *vitistackv1alpha1.KubevirtConfig) {
	c.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// TestStaleMachine: a pass over a Machine that was placed meanwhile writes nothing at all, no
// status either.
func TestStaleMachine(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(in(east)))
	w.before = func(c call) error {
		if c == (call{supervisor, "patch", anyMachine}) {
			return errConflict
		}
		return nil
	}
	result, err := w.reconcile()
	want := []string{"supervisor: patch Machine"}
	if diff := cmp.Diff(want, w.written()); diff != "" || err != nil || result == (ctrl.Result{}) {
		t.Errorf("result %v, %v, writes (-want +got):\n%s", result, err, diff)
	}
	if slices.Contains(w.called(func(call) bool { return true }), east+": create "+anyVM) {
		t.Error("something remote was made for a Machine that is not the newest")
	}
}

// TestOldMachine: a cache that is behind must not place a Machine by a reference that it no longer
// has.
func TestOldMachine(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(in(east)))
	old := w.machine()
	w.editMachine(in(west))
	w.stale = old
	if result, err := w.reconcile(); err != nil || result.RequeueAfter == 0 {
		t.Errorf("%v, %v", result, err)
	}
	if got := w.where(); got != "" {
		t.Errorf("by the old reference there is now %s", got)
	}
	w.stale = nil
	w.mustSettle()
	if diff := cmp.Diff(at(west).VMs, w.where()); diff != "" {
		t.Errorf("by the new one (-want +got):\n%s", diff)
	}
}

func TestLostLedger(t *testing.T) {
	lost := func(m *vitistackv1alpha1.Machine) {
		delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement)
		in(west)(m)
	}
	t.Run("VMThere", func(t *testing.T) {
		w := placed(t)
		before := w.ledger()
		w.editMachine(lost)
		w.mustSettle()
		before.Nonce = w.ledger().Nonce
		if diff := cmp.Diff(before, w.ledger()); diff != "" || w.where() != at(east).VMs {
			t.Errorf("VirtualMachines %s, ledger (-want +got):\n%s", w.where(), diff)
		}
		if got := w.condition("Ready"); got != "False/ReferenceChanged" {
			t.Errorf("Ready is %s", got)
		}
	})
	t.Run("VMGone", func(t *testing.T) {
		w := placed(t)
		vm := w.vms()[east+"/vm-web"]
		w.remove(east, &vm)
		w.editMachine(lost)
		w.mustSettle()
		if got := w.condition("Ready"); got != "False/LedgerConflict" || w.where() != "" {
			t.Errorf("what the status says was not heeded: %s, VirtualMachines %q", got, w.where())
		}
	})
}
