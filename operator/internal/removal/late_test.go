package removal

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestLateComers: an object of a Machine that is gone asks for its debt as long as it may arrive, and
// nothing else does. Another process that takes over expects the same.
func TestLateComers(t *testing.T) {
	w := newWorld(t)
	ledger := w.place(east, "")
	debt := Debt{Machine: "web", UID: machineUID, Ledger: ledger, Late: time.Now().Add(time.Hour)}
	first, second := w.payer(), w.payer()
	if err := first.Owe(t.Context(), debt); err != nil {
		t.Fatal(err)
	}
	request := ctrl.Request{NamespacedName: types.NamespacedName{Name: east}}
	result, err := second.Reconcile(t.Context(), request)
	if err != nil || result.RequeueAfter < 59*time.Minute {
		t.Errorf("the next look is after %s: %v", result.RequeueAfter, err)
	}
	came := guest(targetUID, ledger.Nonce, always)
	other := came.DeepCopy()
	other.Labels[vitistackv1alpha1.LabelMachineUID] = "another"
	for name, payer := range map[string]*Payer{"first": first, "second": second} {
		for len(payer.made) > 0 { // what Owe asked for
			<-payer.made
		}
		payer.Notice(west, came)
		payer.Notice(east, other)
		if asked := len(payer.made); asked > 0 {
			t.Errorf("the %s process: one in another cluster or another Machine's asked for %s", name, <-payer.made)
		}
		if payer.Notice(east, came); len(payer.made) != 1 || <-payer.made != east {
			t.Errorf("the %s process: what arrived asked for nothing", name)
		}
	}
	if err := w.book.Paid(t.Context(), debt); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Reconcile(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if second.Notice(east, came); len(second.made) > 0 {
		t.Errorf("it is asked for %s once nothing is owed", <-second.made)
	}
}
