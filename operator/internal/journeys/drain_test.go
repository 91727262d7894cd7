package journeys

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestDrain empties a cluster of five Machines, two at a time, while the operator is killed in the
// middle: each guest is whole and elsewhere, was moved once, and never were more on their way.
func TestDrain(t *testing.T) {
	const guests, inFlight = 5, 2
	label := map[string]string{"drain": "me"}
	var all []*traveller
	for i := range guests {
		all = append(all, arrive(t, east, fmt.Sprintf("drained-%d", i), func(m *vitistackv1alpha1.Machine) { m.Labels = label }))
	}
	evacuation := &vitistackv1alpha1.Evacuation{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: "drain"}}
	evacuation.Spec = vitistackv1alpha1.EvacuationSpec{Config: east, MaxInFlight: inFlight,
		Selector: &metav1.LabelSelector{MatchLabels: label}}
	all[0].create(evacuation)
	t.Cleanup(func() { _ = world.supervisor.Delete(context.Background(), evacuation) })
	most, killed := 0, false
	eventually.Eventually(t, guests*patience, "the cluster is empty", func(ctx context.Context) error {
		under, err := movesUnderWay(ctx, evacuation)
		if err != nil {
			return err
		}
		if most = max(most, under); most > inFlight {
			t.Fatalf("%d moves under way, %d are allowed", most, inFlight)
		}
		if err := world.supervisor.Get(ctx, client.ObjectKeyFromObject(evacuation), evacuation); err != nil {
			return err
		}
		if !killed && evacuation.Status.Moved >= 1 && under > 0 {
			killed = true
			if err := errors.Join(world.operator.Kill(), world.operator.Start()); err != nil {
				t.Fatal(err)
			}
		}
		if evacuation.Status.Phase != vitistackv1alpha1.EvacuationSucceeded {
			return fmt.Errorf("%+v", evacuation.Status)
		}
		return nil
	})
	if !killed || most < inFlight || evacuation.Status.Moved != guests || evacuation.Status.Total != guests {
		t.Errorf("killed on the way: %t, at most %d under way, %+v", killed, most, evacuation.Status)
	}
	for _, g := range all {
		ledger, err := vitistackv1alpha1.LedgerOf(g.machine())
		if err != nil || ledger.Config == east {
			t.Fatalf("%s is in %s, %v", g.key, ledger.Config, err)
		}
		g.runsIn(ledger.Config)
		g.reads(ledger.Config)
		g.gone(east)
		moves := &vitistackv1alpha1.MachineMoveList{}
		err = world.supervisor.List(t.Context(), moves, client.InNamespace(g.key.Namespace))
		if err != nil || len(moves.Items) != 1 {
			t.Errorf("%s has %d moves, %v", g.key, len(moves.Items), err)
		}
	}
	t.Logf("%d Machines, %d at once, in %s", guests, most, time.Since(evacuation.CreationTimestamp.Time).Round(time.Second))
}

// movesUnderWay is how many moves of an Evacuation have begun and are not over.
func movesUnderWay(ctx context.Context, evacuation *vitistackv1alpha1.Evacuation) (under int, err error) {
	moves := &vitistackv1alpha1.MachineMoveList{}
	err = world.supervisor.List(ctx, moves,
		client.MatchingLabels{vitistackv1alpha1.LabelEvacuation: string(evacuation.UID)})
	for i := range moves.Items {
		phase := moves.Items[i].Status.Phase
		if phase != "" && phase != vitistackv1alpha1.MovePhasePending && !phase.Over() {
			under++
		}
	}
	return under, err
}
