package scale

import (
	"context"
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
	machine := w.newMachine()
	made := w.vms.expect(machine.Name)
	start := time.Now()
	if err := w.operator.start(); err != nil {
		return err
	}
	if err := w.admin.Create(ctx, machine); err != nil {
		return err
	}
	first, err := since(ctx, start, made, "the VirtualMachine of "+machine.Name)
	if err != nil {
		return err
	}
	cell.RestartFirst = figures.Millis(first)
	for i, at := range shown {
		took, err := since(ctx, start, at, "the status of "+machineName(changed[i]))
		if err != nil {
			return err
		}
		cell.RestartAll = max(cell.RestartAll, figures.Millis(took))
	}
	return w.hold(false)
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
