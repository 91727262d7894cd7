package move

import (
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// memory is what is remembered of moves under way. All of it can be lost without harm.
type memory struct {
	mu     sync.Mutex
	active map[types.UID]types.NamespacedName // Machines that are moved
	marks  map[types.NamespacedName]mark
	told   map[types.NamespacedName]time.Time // when progress was told last
	disks  map[types.NamespacedName][]vitistackv1alpha1.MoveDisk
	steps  map[types.NamespacedName][]vitistackv1alpha1.MoveStep
	looked map[types.NamespacedName]time.Time
	fed    map[types.NamespacedName]bool // whose target has what its disks are fetched with
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

// due reports whether progress was told longer ago than every, and notes that it is told now.
func (m *memory) due(key types.NamespacedName, every time.Duration, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told == nil {
		m.told = map[types.NamespacedName]time.Time{}
	}
	last, found := m.told[key]
	if !found {
		m.told[key] = now
		return false
	}
	if now.Sub(last) < every {
		return false
	}
	m.told[key] = now
	return true
}

// saw keeps how far the disks of a move were when they were seen last, and lastSeen returns that.
func (m *memory) saw(key types.NamespacedName, disks []vitistackv1alpha1.MoveDisk) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.disks == nil {
		m.disks = map[types.NamespacedName][]vitistackv1alpha1.MoveDisk{}
	}
	m.disks[key] = disks
}

func (m *memory) lastSeen(key types.NamespacedName) []vitistackv1alpha1.MoveDisk {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.disks[key])
}

// began notes that a phase is under way, and returns all that were begun, in their order.
func (m *memory) began(
	key types.NamespacedName, phase vitistackv1alpha1.MovePhase, now time.Time,
) []vitistackv1alpha1.MoveStep {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.steps == nil {
		m.steps = map[types.NamespacedName][]vitistackv1alpha1.MoveStep{}
	}
	steps := m.steps[key]
	if len(steps) == 0 || steps[len(steps)-1].Phase != phase {
		at := metav1.NewTime(now.UTC().Truncate(time.Second))
		m.steps[key] = append(steps, vitistackv1alpha1.MoveStep{Phase: phase, StartedAt: at})
	}
	return slices.Clone(m.steps[key])
}

// lookTime is the least time between two looks that both only waited: what is seen of a guest that
// goes down or comes up changes many times a second.
const lookTime = 400 * time.Millisecond

// looks notes that a move is looked at, and tooSoon is how long the next look has still to wait, 0 for
// not.
func (m *memory) looks(key types.NamespacedName, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.looked == nil {
		m.looked = map[types.NamespacedName]time.Time{}
	}
	m.looked[key] = now
}

func (m *memory) tooSoon(key types.NamespacedName, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(0, lookTime-now.Sub(m.looked[key]))
}

// isFed reports whether the target of a Machine's move has what its disks are fetched with, and
// setFed notes that it has.
func (m *memory) isFed(key types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fed[key]
}

func (m *memory) setFed(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fed == nil {
		m.fed = map[types.NamespacedName]bool{}
	}
	m.fed[key] = true
}

// forget drops what is remembered of a Machine.
func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.marks, key)
	delete(m.fed, key)
	delete(m.looked, key)
	delete(m.steps, key)
	delete(m.disks, key)
	delete(m.told, key)
	for uid, other := range m.active {
		if other == key {
			delete(m.active, uid)
		}
	}
}
