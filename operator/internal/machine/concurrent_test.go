package machine_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestConcurrentReconciles: with a client that passes shared, half of 120 VirtualMachines went to
// wrong clusters upstream.
func TestConcurrentReconciles(t *testing.T) {
	const count, workers = 120, 16
	clusters := []string{"a", "b", "c"}
	w := newWorld(t, clusters)
	for i := range count {
		w.put(supervisor, newMachine(in(clusters[i%len(clusters)]), func(m *vitistackv1alpha1.Machine) {
			m.Name, m.UID = fmt.Sprintf("m%d", i), uuid.NewUUID()
		}))
	}
	reconciler, queue := w.reconciler(), make(chan string)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for name := range queue {
				request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
				if _, err := reconciler.Reconcile(t.Context(), request); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	for range 2 {
		for i := range count {
			queue <- fmt.Sprintf("m%d", i)
		}
	}
	close(queue)
	working.Wait()
	vms := w.vms()
	if len(vms) != count {
		t.Errorf("there are %d VirtualMachines for %d Machines", len(vms), count)
	}
	for i := range count {
		if where := fmt.Sprintf("%s/vm-m%d", clusters[i%len(clusters)], i); vms[where].UID == "" {
			t.Errorf("there is no %s", where)
		}
	}
}

// TestGuestsBeforeBooks: while other guests are being made, the record of one that was just made is
// completed later. A deletion does not wait.
func TestGuestsBeforeBooks(t *testing.T) {
	w := newWorld(t, []string{east})
	now := clocktesting.NewFakePassiveClock(time.Unix(2e9, 0))
	reconciler := w.reconciler(machine.WithClock(now))
	machines := map[string]*vitistackv1alpha1.Machine{}
	reconcile := func(name string) (wrote bool, after time.Duration) {
		t.Helper()
		w.calls = nil
		result, err := reconciler.Reconcile(t.Context(),
			ctrl.Request{NamespacedName: client.ObjectKeyFromObject(machines[name])})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(w.calls, call.writes), result.RequeueAfter
	}
	for _, name := range []string{"first", "second", "third"} {
		machines[name] = newMachine(in(east), func(m *vitistackv1alpha1.Machine) { m.Name, m.UID = name, types.UID(name) })
		w.put(supervisor, machines[name])
		reconcile(name)
	}
	for _, name := range []string{"first", "second"} {
		if wrote, after := reconcile(name); wrote || after <= 0 {
			t.Errorf("the books of the %s are kept in the rush: %v, again after %s", name, w.calls, after)
		}
	}
	if err := w.clients[supervisor].Delete(t.Context(), machines["second"],
		client.Preconditions{UID: &machines["second"].UID}); err != nil {
		t.Fatal(err)
	}
	if wrote, _ := reconcile("second"); !wrote {
		t.Error("a deletion waits for a rush")
	}
	now.SetTime(now.Now().Add(time.Second))
	if wrote, _ := reconcile("first"); !wrote {
		t.Error("the books are not kept after the rush")
	}
}
