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
	rows   map[types.NamespacedName]*remembrance
}

// remembrance is what is remembered of the move of one Machine, or of a move that cannot begin.
type remembrance struct {
	shows  string    // what it shows
	since  time.Time // since when it shows that
	told   time.Time // when progress was told last
	looked time.Time // when both clusters were looked at last
	disks  []vitistackv1alpha1.MoveDisk
	steps  []vitistackv1alpha1.MoveStep
	fed    bool // the target has what its disks are fetched with
}

// row is what is remembered under a key. The caller holds the lock.
func (m *memory) row(key types.NamespacedName) *remembrance {
	row, found := m.rows[key]
	if !found {
		if m.rows == nil {
			m.rows = map[types.NamespacedName]*remembrance{}
		}
		row = &remembrance{}
		m.rows[key] = row
	}
	return row
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
	row := m.row(key)
	if row.since.IsZero() || row.shows != shows {
		row.shows, row.since = shows, now
	}
	return row.since
}

// due reports whether progress was told longer ago than every, and notes that it is told now. The
// first time is not due: what was begun just now has been told.
func (m *memory) due(key types.NamespacedName, every time.Duration, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.row(key)
	first := row.told.IsZero()
	if !first && now.Sub(row.told) < every {
		return false
	}
	row.told = now
	return !first
}

// saw keeps how far the disks of a move were when they were seen last, and lastSeen returns that.
func (m *memory) saw(key types.NamespacedName, disks []vitistackv1alpha1.MoveDisk) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.row(key).disks = disks
}

func (m *memory) lastSeen(key types.NamespacedName) []vitistackv1alpha1.MoveDisk {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.row(key).disks)
}

// began notes that a phase is under way, and returns all that were begun, in their order.
func (m *memory) began(
	key types.NamespacedName, phase vitistackv1alpha1.MovePhase, now time.Time,
) []vitistackv1alpha1.MoveStep {
	m.mu.Lock()
	defer m.mu.Unlock()
	row := m.row(key)
	if steps := row.steps; len(steps) == 0 || steps[len(steps)-1].Phase != phase {
		at := metav1.NewTime(now.UTC().Truncate(time.Second))
		row.steps = append(steps, vitistackv1alpha1.MoveStep{Phase: phase, StartedAt: at})
	}
	return slices.Clone(row.steps)
}

// lookTime is the least time between two looks that both only waited: what is seen of a guest that
// goes down or comes up changes many times a second.
const lookTime = 400 * time.Millisecond

// looks notes that a move is looked at, and tooSoon is how long the next look has still to wait, 0 for
// not.
func (m *memory) looks(key types.NamespacedName, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.row(key).looked = now
}

func (m *memory) tooSoon(key types.NamespacedName, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, found := m.rows[key]
	if !found {
		return 0
	}
	return max(0, lookTime-now.Sub(row.looked))
}

// isFed reports whether the target of a Machine's move has what its disks are fetched with, and
// setFed notes that it has.
func (m *memory) isFed(key types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.row(key).fed
}

func (m *memory) setFed(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.row(key).fed = true
}

// forget drops what is remembered of a Machine.
func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, key)
	for uid, other := range m.active {
		if other == key {
			delete(m.active, uid)
		}
	}
}
