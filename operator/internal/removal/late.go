package removal

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
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

// owed asks for the debts of a cluster where an object of such a Machine came, changed or went. For all
// others it costs a look into a map.
func (l *lateComers) owed(_ context.Context, config string, object client.Object) []reconcile.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.locked[config].Has(types.UID(object.GetLabels()[vitistackv1alpha1.LabelMachineUID])) {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: config}}}
}
