package soak

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
)

const (
	// fillPatience is until the first Machines are there, settlePatience until all is well once
	// nothing is broken any more.
	fillPatience   = 15 * time.Minute
	settlePatience = 5 * time.Minute
	// tellEach is how often it is told what is waited for.
	tellEach = 20 * time.Second
)

// converge waits until each Machine is as its spec asks and no virtual machine is too many. Its rows
// count what is not so in the end.
func (r *run) converge(ctx context.Context) []report.Row {
	err := r.stage.UntilWithin(ctx, settlePatience, r.asAsked)
	if err != nil {
		r.stage.Say("%v", err)
	}
	others, vms, errCount := r.count(ctx)
	if errCount != nil {
		r.stage.Say("%v", errCount)
		others = r.Machines // nobody knows better
	}
	extra := max(vms-r.Machines, r.Machines-vms)
	return []report.Row{
		report.Most("machines-not-as-asked", report.Count, 0, []float64{float64(others)}),
		report.Most("virtual-machines-too-many-or-few", report.Count, 0, []float64{float64(extra)}),
	}
}

// asAsked is an error while a Machine is not as its spec asks.
func (r *run) asAsked(ctx context.Context) error {
	others, vms, err := r.count(ctx)
	if err == nil && (others > 0 || vms != r.awaited) {
		err = fmt.Errorf("%d Machines are not as asked, and there are %d virtual machines of %d%s",
			others, vms, r.awaited, sayOther(r.other))
	}
	if err != nil && time.Since(r.told) > tellEach {
		r.told = time.Now()
		r.stage.Say("          %v", err)
	}
	return err
}

// count counts the Machines that are not as asked, those that are missing among them, and the virtual
// machines in all remotes.
func (r *run) count(ctx context.Context) (others, vms int, err error) {
	if !pause(ctx, time.Second) { // whole lists many times a second would take the processors from the operator
		return 0, 0, ctx.Err()
	}
	machines := &vitistackv1alpha1.MachineList{}
	if err := r.stage.Admin.List(ctx, machines, client.InNamespace(namespace)); err != nil {
		return 0, 0, err
	}
	others, r.other = r.awaited, nil
	for i := range machines.Items {
		if isAsAsked(&machines.Items[i]) {
			others--
		} else {
			r.other = &machines.Items[i]
		}
	}
	if others == 0 {
		others = len(machines.Items) - r.awaited
	}
	for i, looker := range r.stage.Lookers {
		list := &kubevirtv1.VirtualMachineList{}
		if err := looker.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", r.stage.Fleet.Remotes[i].Name, err)
		}
		vms += len(list.Items)
	}
	return others, vms, nil
}

// isAsAsked reports whether a Machine's status is of its newest generation, and its guest runs or is
// off as the spec says.
func isAsAsked(machine *vitistackv1alpha1.Machine) bool {
	phase := vitistackv1alpha1.MachinePhaseRunning
	if machine.Spec.RunStrategy == vitistackv1alpha1.RunStrategyHalted {
		phase = vitistackv1alpha1.MachinePhaseStopped
	}
	status := machine.Status
	return machine.DeletionTimestamp.IsZero() && status.Phase == phase && status.ObservedGeneration == machine.Generation
}

// sayOther tells what a Machine waits for; nil is none.
func sayOther(machine *vitistackv1alpha1.Machine) string {
	if machine == nil {
		return ""
	}
	return fmt.Sprintf("; %s is %q: %s", machine.Name, machine.Status.Phase, machine.Status.Message)
}
