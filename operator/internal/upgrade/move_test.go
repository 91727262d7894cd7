package upgrade

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// wantMoveRefused writes down, as this version does, that a Machine is being moved, and holds that
// the former version, which knows no moves, does nothing with it: not even a change that it is asked
// for.
func wantMoveRefused(t *testing.T, name string) {
	t.Helper()
	key, machine := client.ObjectKey{Namespace: namespace, Name: name}, &vitistackv1alpha1.Machine{}
	if err := world.supervisor.Get(t.Context(), key, machine); err != nil {
		t.Fatal(err)
	}
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		t.Fatal(err)
	}
	record := vitistackv1alpha1.MoveRecord{
		ID: "7f2b8f5e-0000-4000-8000-000000000001", Name: "away", Mode: vitistackv1alpha1.MoveModeCold,
		Stage: vitistackv1alpha1.MoveBegun, Was: "Always", Ran: true, From: ledger, To: ledger,
	}
	record.To.ClusterUID, record.To.Nonce, record.To.VMUID = "elsewhere", "another", ""
	if err := record.Validate(); err != nil {
		t.Fatal(err)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
		vitistackv1alpha1.AnnotationPlacement: record.Place().String(), vitistackv1alpha1.AnnotationMove: record.String(),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	if err := world.supervisor.Patch(t.Context(), machine, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Fatal(err)
	}
	enlarge(t, name)
	eventually.Eventually(t, patience, "the former version refuses "+name, func(ctx context.Context) error {
		if err := world.supervisor.Get(ctx, key, machine); err != nil {
			return err
		}
		ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
		if ready == nil || ready.Reason != vitistackv1alpha1.ReasonLedgerInvalid {
			return fmt.Errorf("Ready is %+v", ready)
		}
		return nil
	})
	if calls := about([]string{name}, writes(t, since, world.fleet.Remotes...)); len(calls) > 0 {
		t.Errorf("the former version wrote to the clusters of a Machine that is being moved: %v", calls)
	}
}
