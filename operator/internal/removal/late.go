package removal

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
)

// lateComers are the Machines that are gone, and of which something may still arrive in a cluster: so
// that it is noticed by its event, and not by looks. The zero value is empty. It is safe for
// concurrent use.
type lateComers struct {
	mu     sync.Mutex
	locked map[string]sets.Set[types.UID] // by KubevirtConfig
}

// expect adds a Machine.
func (l *lateComers) expect(config string, machine types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked == nil {
		l.locked = map[string]sets.Set[types.UID]{}
	}
	if l.locked[config] == nil {
		l.locked[config] = sets.New[types.UID]()
	}
	l.locked[config].Insert(machine)
}

// expectOf puts the Machines of a cluster's debts, which another process may have made, in the place of
// those that were expected there.
func (l *lateComers) expectOf(config string, debts []Debt) {
	machines := sets.New[types.UID]()
	for _, debt := range debts {
		if !debt.Late.IsZero() {
			machines.Insert(debt.UID)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locked == nil {
		l.locked = map[string]sets.Set[types.UID]{}
	}
	l.locked[config] = machines
}

// has reports whether something of a Machine may still arrive.
func (l *lateComers) has(config string, machine types.UID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked[config].Has(machine)
}
