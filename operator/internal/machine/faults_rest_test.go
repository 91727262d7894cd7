package machine_test

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestRestUnderForeignDefinitions: a definition that prunes what the public one does not have costs
// no write in each pass.
func TestRestUnderForeignDefinitions(t *testing.T) {
	w := runs(t)
	prune := func() {
		m := w.machine()
		m.Status.KubevirtConfigRef, m.Status.VMName, m.Status.NodeName, m.Status.ObservedGeneration = nil, "", "", 0
		if err := w.clients[supervisor].Status().Update(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	w.after = func(c call) error {
		if c == (call{supervisor, "patch status of", anyMachine}) {
			prune()
		}
		return nil
	}
	prune()
	now := clocktesting.NewFakePassiveClock(time.Unix(2e9, 0))
	r := w.reconciler(machine.WithClock(now))
	pass := func() {
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			t.Fatal(err)
		}
		now.SetTime(now.Now().Add(time.Minute))
	}
	pass()
	pass()
	w.forget()
	for range 5 {
		pass()
	}
	if got := w.written(); len(got) > 0 {
		t.Errorf("five passes of a Machine at rest wrote %v", got)
	}
}

// TestOverwrittenStatus: a status that somebody else overwrote is true again after the event of
// that write.
func TestOverwrittenStatus(t *testing.T) {
	w := runs(t)
	r := w.reconciler()
	pass := func() {
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			t.Fatal(err)
		}
	}
	pass()
	m := w.machine()
	m.Status.Phase = vitistackv1alpha1.MachinePhaseFailed
	m.Status.Conditions = nil
	m.Status.KubevirtConfigRef = nil
	if err := w.clients[supervisor].Status().Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	pass()
	status := w.machine().Status
	if status.Phase != vitistackv1alpha1.MachinePhaseRunning || w.condition("Ready") != "True/Ready" ||
		status.KubevirtConfigRef == nil {
		t.Errorf("the status stays as somebody else wrote it: %s, Ready is %s, %v", status.Phase, w.condition("Ready"),
			status.KubevirtConfigRef)
	}
	if len(w.vms()) != 1 {
		t.Errorf("there are %d virtual machines", len(w.vms()))
	}
}
