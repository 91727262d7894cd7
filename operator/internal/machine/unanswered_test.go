package machine_test

import (
	"fmt"
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

// TestLooksDoNotMultiply: at a start many clusters begin to answer one by one, and each wakes every
// Machine that waits for all of them. A look calls every cluster, so that looks at each of these
// moments would be Machines times clusters times clusters.
func TestLooksDoNotMultiply(t *testing.T) {
	const silent = 20
	configs := []string{east}
	for i := range silent {
		configs = append(configs, fmt.Sprintf("cluster-%d", i))
	}
	w := newWorld(t, configs, newMachine(in(east)))
	for _, config := range configs[1:] {
		w.silence(config)
	}
	now := clocktesting.NewFakePassiveClock(time.Now())
	r := w.reconciler(machine.WithClock(now))
	reconcile := func() time.Duration {
		t.Helper()
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
		if err != nil {
			t.Fatal(err)
		}
		return result.RequeueAfter
	}
	looks := func() int {
		return len(w.called(func(c call) bool { return c.cluster == east && c.kind == anyVM && !c.writes() }))
	}
	reconcile()
	one := looks()
	for _, config := range configs[1:silent] { // all but one
		now.SetTime(now.Now().Add(10 * time.Millisecond))
		w.wake(config)
		if again := reconcile(); again <= 0 || again > time.Second {
			t.Errorf("%s began to answer, and the Machine is looked at again after %s", config, again)
		}
	}
	if got := looks(); got != one {
		t.Errorf("%d calls by looks while the clusters came, want the %d of one", got, one)
	}
	now.SetTime(now.Now().Add(10 * time.Millisecond))
	w.wake(configs[silent])
	for range 3 { // the place, what follows it, and the status
		reconcile()
	}
	if got := w.condition("Placed"); got != "True/Placed" {
		t.Errorf("all clusters answer, and the Machine is %s", got)
	}
}

// TestPauseEndsWithTheWait: a Machine that paused between two looks, and then meets something else, is
// not looked at again and again because of the pause.
func TestPauseEndsWithTheWait(t *testing.T) {
	w := newWorld(t, []string{east, west, "cluster-south"}, newMachine(in(east)))
	w.silence(west)
	w.silence("cluster-south")
	now := clocktesting.NewFakePassiveClock(time.Now())
	pass := func(r *machine.MachineReconciler) time.Duration {
		now.SetTime(now.Now().Add(300 * time.Millisecond))
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
		if err != nil {
			t.Fatal(err)
		}
		return result.RequeueAfter
	}
	slow := true
	w.before = func(c call) error {
		if slow && c.cluster == east && c.kind == anyVM { // so that the attempt is due before the pause is over
			now.SetTime(now.Now().Add(250 * time.Millisecond))
		}
		return nil
	}
	r := w.reconciler(machine.WithClock(now))
	pass(r)
	slow = false
	w.wake("cluster-south")
	pass(r)
	w.put(east, foundVM(foreign))
	w.wake(west)
	for i := range 6 {
		if again := pass(r); again < 100*time.Millisecond {
			t.Errorf("pass %d: %s, and it is looked at again after %s", i, w.condition("Placed"), again)
		}
	}
}
