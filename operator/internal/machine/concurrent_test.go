package machine_test

import (
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestConcurrentReconciles: with a client that passes shared, half of 120 VirtualMachines went to wrong clusters upstream.
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
