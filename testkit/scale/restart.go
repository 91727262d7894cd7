package scale

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/scale/figures"
)

// restart kills the operator, changes guests while there is none, starts it, and creates a Machine
// at that moment.
func (w *World) restart(ctx context.Context, cell *figures.Cell) error {
	if err := w.operator.settle(ctx); err != nil {
		return err
	}
	if err := w.hold(true); err != nil {
		return err
	}
	if err := w.operator.kill(); err != nil {
		return err
	}
	changed := w.chosen(min(maxChanged, w.made/changedShare))
	cell.RestartChanged = len(changed)
	node := fmt.Sprintf("away-%d", time.Now().UnixNano())
	shown := make([]<-chan time.Time, len(changed))
	err := sideBySide(ctx, len(changed), func(ctx context.Context, i int) error {
		shown[i] = w.machines.expect(machineName(changed[i]), node)
		_, err := w.clusterOf(changed[i]).moveGuest(ctx, machineName(changed[i]), node)
		return err
	})
	if err != nil {
		return err
	}
	start := time.Now()
	if err := w.operator.start(); err != nil {
		return err
	}
	first, err := w.firstServed(ctx)
	if err != nil {
		return err
	}
	cell.RestartFirst = figures.Millis(first.Sub(start))
	for i, at := range shown {
		took, err := since(ctx, start, at, "the status of "+machineName(changed[i]))
		if err != nil {
			return err
		}
		cell.RestartAll = max(cell.RestartAll, figures.Millis(took))
	}
	return w.hold(false)
}

// newcomers is how many Machines are created after a start, and newcomerPause the time between two.
const (
	newcomers     = 40
	newcomerPause = 250 * time.Millisecond
)

// firstServed creates Machines, one after the other, and returns when the first VirtualMachine of
// one of them exists. A Machine that the operator finds in its first list waits for the answer of
// every cluster, because it may be older than the operator (I3); one that is created a moment later
// does not.
func (w *World) firstServed(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("no new Machine is served"))
	defer cancel()
	served := make(chan time.Time, newcomers)
	ticks := time.NewTicker(newcomerPause)
	defer ticks.Stop()
	for created := 0; ; {
		if created < newcomers {
			machine := w.newMachine()
			w.vms.expectOn(machine.Name, served)
			if err := w.admin.Create(ctx, machine); err != nil {
				return time.Time{}, err
			}
			created++
		}
		select {
		case at := <-served:
			return at, nil
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-ticks.C:
		}
	}
}

// chosen are some of the Machines that run, spread over all of them.
func (w *World) chosen(count int) []int {
	var chosen []int
	for i := 0; i < w.next && len(chosen) < count; i += max(1, w.next/count) {
		if w.machines.isRunning(machineName(i)) {
			chosen = append(chosen, i)
		}
	}
	return chosen
}
