package agent

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// lockedWaiters say which instances wait for which object.
type lockedWaiters struct {
	mu      sync.Mutex
	waiting map[need]map[types.NamespacedName]bool
}

func newWaiters() *lockedWaiters {
	return &lockedWaiters{waiting: map[need]map[types.NamespacedName]bool{}}
}

// add registers an instance for the objects that it needs: before they are looked for, so that none
// can come unseen.
func (w *lockedWaiters) add(instance types.NamespacedName, needs []need) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range needs {
		if w.waiting[n] == nil {
			w.waiting[n] = map[types.NamespacedName]bool{}
		}
		w.waiting[n][instance] = true
	}
}

func (w *lockedWaiters) remove(instance types.NamespacedName, needs []need) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range needs {
		delete(w.waiting[n], instance)
		if len(w.waiting[n]) == 0 {
			delete(w.waiting, n)
		}
	}
}

// of returns the instances that wait for an object.
func (w *lockedWaiters) of(n need) []types.NamespacedName {
	w.mu.Lock()
	defer w.mu.Unlock()
	var instances []types.NamespacedName
	for instance := range w.waiting[n] {
		instances = append(instances, instance)
	}
	return instances
}
