package counts

import (
	"context"
	"fmt"
	"slices"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// The rows of Rotation.
const (
	RowRelists          = "rotation-relists"
	RowFailedReconciles = "rotation-failed-reconciles"
)

// failures are the operator's own counts of what went wrong.
var failures = []string{"operator_machine_failed_attempts_total", "controller_runtime_reconcile_errors_total"}

// Rotation rotates the operator's token, certificate and authority in the first cluster, ends the
// old one and all watches each time, and has a Machine made by the new one. Collections that are
// read anew and reconciles that fail are counted.
func (b *Bench) Rotation(ctx context.Context) ([]report.Row, error) {
	const namespace = "rotation"
	b.Say("\ntoken, certificate and authority are rotated, the old ones revoked, watches cut")
	if _, err := b.run(ctx, namespace, b.Machines); err != nil {
		return nil, err
	}
	east := b.Fleet.Remotes[0]
	var relisted, failed []float64
	for i, what := range []fleet.Rotation{fleet.RotateToken, fleet.RotateCert, fleet.RotateCA} {
		before, err := b.failures(ctx)
		if err != nil {
			return nil, err
		}
		since := time.Now()
		if err := b.rotate(ctx, namespace, what, b.Machines+2+i); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		after, err := b.failures(ctx)
		if err != nil {
			return nil, err
		}
		lists, err := relists(east, since)
		if err != nil {
			return nil, err
		}
		b.Say("  %s: %d relists, %v failed reconciles\n%s", what, len(lists), after-before, audit.Tally(lists))
		relisted, failed = append(relisted, float64(len(lists))), append(failed, after-before)
	}
	return []report.Row{
		report.Most(RowRelists, report.Calls, 0, relisted).Noted("the most of token, certificate and authority"),
		report.Most(RowFailedReconciles, report.Count, 0, failed).Noted("the most of token, certificate and authority"),
	}, b.Clean(ctx, namespace, false)
}

// relists are the lists of whole collections that are watched. Others are looks: at the storage
// classes, or for one Machine.
func relists(cluster *fleet.Cluster, since time.Time) ([]audit.Call, error) {
	calls, err := stage.Calls(cluster, audit.Filter{})
	watched := map[string]bool{}
	for _, call := range calls {
		watched[call.Kind()] = watched[call.Kind()] || call.Verb == "watch"
	}
	return slices.DeleteFunc(calls, func(call audit.Call) bool {
		return call.Verb != "list" || call.Namespace != "" || !watched[call.Kind()] || call.Received.Before(since)
	}), err
}

// rotate rotates once and waits until watches go on and a Machine more, the count-th, runs.
func (b *Bench) rotate(ctx context.Context, namespace string, what fleet.Rotation, count int) error {
	east := b.Fleet.Remotes[0]
	since := time.Now()
	if err := east.Rotate(ctx, what); err != nil {
		return err
	}
	if err := east.SetFault(faults.Fault{Kind: faults.Cut}); err != nil {
		return err
	}
	err := b.Until(ctx, func(context.Context) error {
		watches, err := stage.Calls(east, audit.Filter{Since: since, Verb: "watch"})
		if err == nil && len(watches) == 0 {
			err = fmt.Errorf("no watch was opened anew")
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := east.SetFault(faults.Fault{Kind: faults.Pass}); err != nil {
		return err
	}
	if err := b.Admin.Create(ctx, stage.NewRunning(namespace, "after-"+string(what), east.Name)); err != nil {
		return err
	}
	if err := b.UntilPhase(ctx, namespace, count, vitistackv1alpha1.MachinePhaseRunning); err != nil {
		return err
	}
	return b.settle(ctx, namespace)
}

// failures is the sum of the operator's counts.
func (b *Bench) failures(ctx context.Context) (sum float64, err error) {
	for _, name := range failures {
		value, err := b.Metric(ctx, name)
		if err != nil {
			return 0, err
		}
		sum += value
	}
	return sum, nil
}
