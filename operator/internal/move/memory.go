package move

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// memory is what is remembered of moves under way. All of it can be lost without harm.
type memory struct {
	mu     sync.Mutex
	active map[types.UID]types.NamespacedName // Machines that are moved
	marks  map[types.NamespacedName]mark
}

// mark is since when a move shows the same.
type mark struct {
	shows string
	since time.Time
}

// moving notes that a Machine is moved, so that events of its objects wake its move.
func (m *memory) moving(uid types.UID, key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.active == nil {
		m.active = map[types.UID]types.NamespacedName{}
	}
	m.active[uid] = key
}

// of is the Machine of a UID, if it is moved.
func (m *memory) of(uid types.UID) (key types.NamespacedName, moving bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, moving = m.active[uid]
	return key, moving
}

// same returns since when a move shows what it shows now.
func (m *memory) same(key types.NamespacedName, shows string, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if has := m.marks[key]; has.shows == shows {
		return has.since
	}
	if m.marks == nil {
		m.marks = map[types.NamespacedName]mark{}
	}
	m.marks[key] = mark{shows: shows, since: now}
	return now
}

// forget drops what is remembered of a Machine.
func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.marks, key)
	for uid, other := range m.active {
		if other == key {
			delete(m.active, uid)
		}
	}
}
