package journeys

import (
	"context"
	"fmt"
	"testing"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestSourceSilentAtTheEnd cuts the source off right after the commit, until the move has ended without
// it: what is left there, the export and its token included, goes once it answers again.
func TestSourceSilentAtTheEnd(t *testing.T) {
	observe(t)
	g := arrive(t, east, "source-silent", nil)
	g.moveTo(west)
	committed := func(context.Context) error {
		if ledger, err := vitistackv1alpha1.LedgerOf(g.machine()); err != nil || ledger.Config != west {
			return fmt.Errorf("it is in %s: %w", ledger.Config, err)
		}
		return nil
	}
	for committed(t.Context()) != nil && !g.wish().Status.Phase.Over() {
		time.Sleep(5 * time.Millisecond)
	}
	if err := world.clusters[east].SetFault(faults.Fault{Kind: faults.Blackhole}); err != nil {
		t.Fatal(err)
	}
	answers := func() error { return world.clusters[east].SetFault(faults.Fault{}) }
	t.Cleanup(func() { _ = answers() })
	g.tells(vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.ReasonMoved)
	if err := nothing(t.Context(), east, g.key.Namespace); err == nil {
		t.Fatal("nothing was left: the cluster was cut off too late")
	}
	if err := answers(); err != nil {
		t.Fatal(err)
	}
	g.gone(east)
	g.runsIn(west)
	g.reads(west)
	book := removal.Book{Server: world.supervisor, Namespace: fleet.ConfigsNamespace}
	eventually.Eventually(t, patience, "the debt is struck out", func(ctx context.Context) error {
		debts, err := book.Debts(ctx)
		if len(debts) > 0 {
			return fmt.Errorf("%s still owes to %s", debts[0].Machine, debts[0].Ledger.Config)
		}
		return err
	})
}
