package machine_test

import (
	"slices"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/shards"
)

// ofShard is a reconciler of one of four shards; east is of the last one, west of the second.
func ofShard(w *world, shard int, options ...machine.Option) *machine.MachineReconciler {
	share := shards.NewShare(4, func() (int, bool) { return shard, true })
	return w.reconciler(append([]machine.Option{chain(), withDefault(east), machine.WithShare(share)}, options...)...)
}

// asleep is how a cluster of another shard is that nobody has asked for.
func asleep(w *world, config string) {
	w.silence(config)
	w.manager.SetState(clientmgr.State{Config: config, Phase: clientmgr.Disconnected, Reason: clientmgr.ReasonAsleep,
		RememberedUID: config})
}

// TestHandOver: the first shard places a Machine that names no cluster, once the clusters of the others
// are connected, and the shard of the chosen one makes it. The others do nothing. Each step is the
// state in which a process may end; the next one goes on.
func TestHandOver(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	now := clocktesting.NewFakePassiveClock(time.Now())
	placer := ofShard(w, 0, machine.WithFreshness(freshness(true)), machine.WithClock(now))
	maker := ofShard(w, shards.Of(east, 4), machine.WithClock(now))
	idle := ofShard(w, shards.Of(west, 4), machine.WithClock(now))
	pass := func(r *machine.MachineReconciler) ctrl.Result {
		t.Helper()
		result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	asleep(w, east)
	asleep(w, west)
	pass(placer)
	if got := w.condition("Placed"); got != "Unknown/Connecting" && got != "False/Connecting" {
		t.Errorf("it does not wait for the clusters that it chooses among: %s", got)
	}
	w.wake(east)
	w.wake(west)
	now.SetTime(now.Now().Add(time.Minute))
	w.before = func(c call) error { // the placer ends, and nobody has confirmed the record
		if c.cluster == supervisor && c.verb == "patch status of" {
			return errCrash
		}
		return nil
	}
	_, _ = placer.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey})
	w.before = nil
	if w.ledger().Config != east || len(w.vms()) != 0 {
		t.Fatalf("the first shard made it: %+v, %s", w.ledger(), w.where())
	}
	w.forget()
	wait := pass(maker).RequeueAfter
	remote := w.called(func(c call) bool { return c.cluster != supervisor })
	if wait <= 0 || wait > 2*time.Second || len(remote) > 0 {
		t.Errorf("a record of a moment ago is not waited for: %s, %v", wait, remote)
	}
	pass(idle)
	pass(ofShard(w, 0, machine.WithClock(now)))
	if written := w.written(); len(written) > 0 {
		t.Errorf("shards whose it is not wrote: %v", written)
	}
	now.SetTime(now.Now().Add(3 * time.Second))
	for range 3 {
		pass(maker)
		now.SetTime(now.Now().Add(time.Minute))
	}
	if vms := w.vms(); len(vms) != 1 || vms[east+"/"+vmName].Name != vmName {
		t.Errorf("virtual machines: %s", w.where())
	}
}

// TestHandOverInOrder: where nobody ends on the way, the record is confirmed, and no cluster but the
// Machine's own is looked into.
func TestHandOverInOrder(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	request := ctrl.Request{NamespacedName: webKey}
	if _, err := ofShard(w, 0, machine.WithFreshness(freshness(true))).Reconcile(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if status := w.machine().Status.KubevirtConfigRef; status == nil || status.Name != east {
		t.Fatalf("the record is not confirmed: %+v", status)
	}
	w.forget()
	maker := ofShard(w, shards.Of(east, 4))
	for range 2 {
		if _, err := maker.Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if looked := w.called(func(c call) bool { return c.cluster == west }); len(looked) > 0 {
		t.Errorf("another cluster was looked into: %v", looked)
	}
	if vms := w.vms(); len(vms) != 1 {
		t.Errorf("virtual machines: %s", w.where())
	}
	if m := w.machine(); !slices.Contains(m.Finalizers, vitistackv1alpha1.FinalizerMachine) {
		t.Error("the finalizer is gone")
	}
}

// TestAsleepIsNotSilent: a cluster that is not connected because nobody needed it is no cluster that
// gives no answer: no Machine is let go for that.
func TestAsleepIsNotSilent(t *testing.T) {
	w := placed(t)
	w.editMachine(func(m *vitistackv1alpha1.Machine) {
		m.Annotations[vitistackv1alpha1.AnnotationForceRelease] = east
	})
	w.deleteMachine()
	asleep(w, east)
	if _, err := w.reconcile(); err != nil {
		t.Fatal(err)
	}
	if w.machine() == nil {
		t.Error("the Machine was let go")
	}
}
