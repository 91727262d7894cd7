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

// expectOf forgets the Machines of a cluster of which no debt is left, and adds those of the debts,
// which another process may have made.
func (l *lateComers) expectOf(config string, debts []Debt) {
	l.mu.Lock()
	delete(l.locked, config)
	l.mu.Unlock()
	for _, debt := range debts {
		if !debt.Late.IsZero() {
			l.expect(config, debt.UID)
		}
	}
}

// has reports whether something of a Machine may still arrive.
func (l *lateComers) has(config string, machine types.UID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.locked[config].Has(machine)
}
