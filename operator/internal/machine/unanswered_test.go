package machine_test

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestLooksAreNotRepeatedByEvents: a Machine that waits for a silent cluster is woken by its own
// status, by the state of that cluster and by the time at which people are told. The bench counted
// nine looks in a minute that has room for six.
func TestLooksAreNotRepeatedByEvents(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(in(east)))
	w.silence(west)
	now := clocktesting.NewFakePassiveClock(time.Now())
	r := w.reconciler(machine.WithClock(now))
	reconcile := func() {
		t.Helper()
		if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
			t.Fatal(err)
		}
	}
	looks := func() int {
		return len(w.called(func(c call) bool { return c.cluster == east && c.kind == anyVM && !c.writes() }))
	}
	reconcile()
	one := looks()
	if got := w.condition("Placed"); one == 0 || got != "False/ClustersUnanswered" {
		t.Fatalf("%d looks, and the Machine is %s", one, got)
	}
	for range 10 {
		now.SetTime(now.Now().Add(50 * time.Millisecond))
		w.silence(west) // which is the same as before
		reconcile()
	}
	if got := looks(); got != one {
		t.Errorf("%d calls by looks within half a second, want the %d of one", got, one)
	}
	if got := w.condition("Placed"); got != "False/ClustersUnanswered" {
		t.Errorf("the Machine is %s meanwhile", got)
	}
	now.SetTime(now.Now().Add(time.Second))
	reconcile()
	if got := looks(); got != 2*one {
		t.Errorf("%d calls by looks once the back-off is over, want those of two looks, %d", got, 2*one)
	}
	w.wake(west)
	for range 3 { // the place, what follows it, and the status
		reconcile()
	}
	if got := w.condition("Placed"); got != "True/Placed" {
		t.Errorf("the cluster answers, before the back-off is over, and the Machine is %s", got)
	}
}
