package machine

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// tellings remembers what Events have said about each Machine. The zero value is empty.
type tellings struct {
	mu     sync.Mutex
	locked map[types.NamespacedName]observed.Telling
}

func (t *tellings) of(key types.NamespacedName) observed.Telling {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.locked[key]
}

// keep remembers a Telling. The zero value needs no room.
func (t *tellings) keep(key types.NamespacedName, telling observed.Telling) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if telling == (observed.Telling{}) {
		delete(t.locked, key)
		return
	}
	if t.locked == nil {
		t.locked = map[types.NamespacedName]observed.Telling{}
	}
	t.locked[key] = telling
}

func (t *tellings) forget(key types.NamespacedName) { t.keep(key, observed.Telling{}) }
