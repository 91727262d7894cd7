package clusterstatus

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// tellConfigs tells how many KubevirtConfigs count, by the cache.
func (r *Reconciler) tellConfigs(ctx context.Context) {
	if r.options.StartUp == nil {
		return
	}
	list := &vitistackv1alpha1.KubevirtConfigList{}
	if err := r.supervisor.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache is not there yet, and each KubevirtConfig in it is still to come
	}
	count := 0
	for i := range list.Items {
		if r.counts(&list.Items[i]) {
			count++
		}
	}
	r.met.told(count)
	r.options.StartUp.Configs(ctx, count)
}

// met are the KubevirtConfigs that were reconciled, so that all of them are counted when there are
// more or fewer, and not at each reconcile of one. The zero value is empty. It is safe for concurrent
// use.
type met struct {
	mu     sync.Mutex
	locked sets.Set[client.ObjectKey]
	count  int // that was told last
}

// meets reports whether there must be more KubevirtConfigs than were counted, now that one is known.
func (m *met) meets(key client.ObjectKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locked == nil {
		m.locked = sets.New[client.ObjectKey]()
	}
	m.locked.Insert(key)
	return len(m.locked) > m.count
}

func (m *met) forget(key client.ObjectKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locked.Delete(key)
}

// told says how many there are by the last count.
func (m *met) told(count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count = count
}
