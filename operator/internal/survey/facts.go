package survey

import (
	"sync"
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// factAge is how old a remembered fact may be.
const factAge = 30 * time.Second

// Facts are what remote clusters answered a moment ago and hardly ever changes. The zero value is
// empty.
type Facts struct {
	// Room is what is free in a cluster, by KubevirtConfig.
	Room Recent[capacity.Room]
	// StorageClasses are those of a cluster, by its Key.
	StorageClasses Recent[desired.StorageClasses]
	// Namespaces exist in a cluster, by its Key and their name.
	Namespaces Recent[struct{}]
	// Attachments are NetworkAttachmentDefinitions that exist, by the cluster's Key, the namespace
	// and their name.
	Attachments Recent[struct{}]
}

// Key names a fact of a cluster, and of no other that its KubevirtConfig stands for one day.
func Key(config, clusterUID string, more ...string) string {
	key := config + "/" + clusterUID
	for _, each := range more {
		key += "/" + each
	}
	return key
}

// Recent remembers facts for factAge. What is missing is never remembered. The zero value is empty.
// It is safe for concurrent use.
type Recent[T any] struct {
	mu     sync.Mutex
	locked map[string]dated[T]
}

type dated[T any] struct {
	at    time.Time
	value T
}

// Get returns a fact that is young enough.
func (r *Recent[T]) Get(key string, now time.Time) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	has, found := r.locked[key]
	return has.value, found && now.Sub(has.at) < factAge
}

// Put remembers a fact and forgets those that are too old.
func (r *Recent[T]) Put(key string, value T, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.locked == nil {
		r.locked = map[string]dated[T]{}
	}
	for other, has := range r.locked {
		if now.Sub(has.at) >= factAge {
			delete(r.locked, other)
		}
	}
	r.locked[key] = dated[T]{at: now, value: value}
}

// Change changes a fact, if it is remembered. It does not become younger by that.
func (r *Recent[T]) Change(key string, change func(*T)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if has, found := r.locked[key]; found {
		change(&has.value)
		r.locked[key] = has
	}
}
