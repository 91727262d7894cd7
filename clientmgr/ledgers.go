package clientmgr

import (
	"sync"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// generation is the number of ledgers that are remembered at least; at most there are two
// generations.
const generation = 4096

// ledgers remembers what the ledgers of machines say: reading one takes ten times as long as the
// whole look-up besides. The zero value works; it is safe for concurrent use.
type ledgers struct {
	locked struct {
		sync.Mutex
		young, old map[string]vitistackv1alpha1.Ledger // by annotation
	}
}

// parse is vitistackv1alpha1.ParseLedger. Errors are not remembered.
func (l *ledgers) parse(annotation string) (vitistackv1alpha1.Ledger, error) {
	if ledger, found := l.recall(annotation); found {
		return ledger, nil
	}
	ledger, err := vitistackv1alpha1.ParseLedger(annotation)
	if err == nil {
		l.remember(annotation, ledger)
	}
	return ledger, err
}

func (l *ledgers) recall(annotation string) (ledger vitistackv1alpha1.Ledger, found bool) {
	l.locked.Lock()
	defer l.locked.Unlock()
	if ledger, found = l.locked.young[annotation]; found {
		return ledger, true
	}
	ledger, found = l.locked.old[annotation]
	if found {
		l.add(annotation, ledger)
	}
	return ledger, found
}

func (l *ledgers) remember(annotation string, ledger vitistackv1alpha1.Ledger) {
	l.locked.Lock()
	defer l.locked.Unlock()
	l.add(annotation, ledger)
}

func (l *ledgers) add(annotation string, ledger vitistackv1alpha1.Ledger) {
	if l.locked.young == nil || len(l.locked.young) >= generation {
		l.locked.young, l.locked.old = map[string]vitistackv1alpha1.Ledger{}, l.locked.young
	}
	l.locked.young[annotation] = ledger
}
