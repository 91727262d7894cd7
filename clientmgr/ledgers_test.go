package clientmgr

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestLedgersAreRememberedWithinBounds(t *testing.T) {
	var l ledgers
	ledger := func(i int) vitistackv1alpha1.Ledger {
		return vitistackv1alpha1.Ledger{Config: "east", ClusterUID: "c", Namespace: "default",
			VMName: fmt.Sprintf("vm-%d", i), Nonce: "n"}
	}
	for i := range 5 * generation {
		for _, each := range []int{i, 0} { // the first is asked for all the while
			got, err := l.parse(ledger(each).String())
			if err != nil {
				t.Fatal(err)
			}
			if got != ledger(each) {
				t.Fatalf("-want +got:\n%s", cmp.Diff(ledger(each), got))
			}
		}
	}
	if held := len(l.locked.young) + len(l.locked.old); held > 2*generation {
		t.Errorf("%d ledgers are held", held)
	}
	if _, found := l.recall(ledger(0).String()); !found {
		t.Error("what is asked for all the while was forgotten")
	}
	for range 2 {
		if _, err := l.parse(`{"config":"east"}`); !errors.Is(err, vitistackv1alpha1.ErrInvalidLedger) {
			t.Errorf("half a ledger: %v", err)
		}
	}
}
