package counts

import (
	"context"
	"errors"
	"fmt"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The rows of Looks.
const (
	RowLooksFresh    = "looks-fresh-with-reference"
	RowLooksSearch   = "looks-search"
	RowLooksNotFresh = "looks-not-fresh"
)

// Looks counts the calls by which one Machine makes the operator look into each cluster that is not
// its own: a fresh one with a reference, one whose virtual machine is searched for, and one that was
// created while the operator did not run.
func (b *Bench) Looks(ctx context.Context) (rows []report.Row, err error) {
	b.Say("\nlive looks of a Machine at clusters that are not its own")
	for _, each := range []struct {
		row, namespace string
		bound          float64
		create         func(ctx context.Context, machine *vitistackv1alpha1.Machine) error
	}{
		{RowLooksFresh, "fresh", 0, b.createFresh},
		{RowLooksSearch, "search", 3, b.createSearched},
		{RowLooksNotFresh, "not-fresh", 3, b.createUnseen},
	} {
		row, err := b.looks(ctx, each.namespace, each.create)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", each.row, err)
		}
		rows = append(rows, report.Most(each.row, report.Calls, each.bound, row).
			Noted("the most of %d other clusters, one Machine", len(row)))
	}
	return rows, nil
}

// looks lets a Machine be created and counts the looks in each cluster but its own.
func (b *Bench) looks(
	ctx context.Context, namespace string, create func(context.Context, *vitistackv1alpha1.Machine) error,
) (counts []float64, err error) {
	if err := b.MakeNamespaces(ctx, namespace); err != nil {
		return nil, err
	}
	machine := stage.NewMachine(namespace, "looked-for", b.Fleet.Remotes[0].Name)
	if err := create(ctx, machine); err != nil {
		return nil, err
	}
	if err := b.UntilPhase(ctx, namespace, 1, vitistackv1alpha1.MachinePhaseStopped); err != nil {
		return nil, err
	}
	if err := b.settle(ctx, namespace); err != nil {
		return nil, err
	}
	for _, remote := range b.Fleet.Remotes[1:] {
		calls, err := looksAt(remote, machine)
		if err != nil {
			return nil, err
		}
		b.Say("%s in %s:\n%s", namespace, remote.Name, audit.Tally(calls))
		counts = append(counts, float64(len(calls)))
	}
	return counts, b.Clean(ctx, namespace, true)
}

// createFresh creates the Machine while the operator watches.
func (b *Bench) createFresh(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	// A Machine is fresh where the operator saw another one before: its watch is open.
	other := stage.NewMachine(machine.Namespace, "other", b.Fleet.Remotes[0].Name)
	if err := b.Admin.Create(ctx, other); err != nil {
		return err
	}
	if err := b.UntilPhase(ctx, machine.Namespace, 1, vitistackv1alpha1.MachinePhaseStopped); err != nil {
		return err
	}
	if err := b.Admin.Delete(ctx, other); err != nil {
		return err
	}
	err := b.Until(ctx, func(ctx context.Context) error {
		err := b.Admin.Get(ctx, client.ObjectKeyFromObject(other), other)
		if err == nil {
			return errors.New("the first Machine is left")
		}
		return client.IgnoreNotFound(err)
	})
	if err != nil {
		return err
	}
	return b.Admin.Create(ctx, machine)
}

// createSearched creates the Machine without a reference: its virtual machine is in a cluster
// already.
func (b *Bench) createSearched(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	if err := b.Lookers[0].Create(ctx, stage.NewVM(machine.Namespace, "vm-"+machine.Name)); err != nil {
		return err
	}
	machine.Annotations = nil
	return b.Admin.Create(ctx, machine)
}

// createUnseen creates the Machine while the operator does not run.
func (b *Bench) createUnseen(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	if err := b.StopOperator(ctx); err != nil {
		return err
	}
	if err := b.Admin.Create(ctx, machine); err != nil {
		return err
	}
	b.Say("  the operator was down for %s", time.Since(machine.CreationTimestamp.Time).Round(time.Second))
	return b.StartOperator()
}
