package machine

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// keepVM lets a Machine go and leaves its VirtualMachine as it is. It is written down first for whom it
// waits: the next Machine of this name inherits it without a further word.
func (r *MachineReconciler) keepVM(ctx context.Context, view report, ledger vitistackv1alpha1.Ledger) report {
	machine := view.Machine
	if ledger.VMUID != "" {
		keep := brake.Keep{Namespace: machine.Namespace, Name: machine.Name, Config: ledger.Config, VMUID: ledger.VMUID,
			Machine: machine.UID}
		if err := r.brake.Keep(ctx, keep); err != nil {
			at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "recording the kept virtual machine"}
			return view.ended(observed.StepPlace, problem.Supervisor(err, at))
		}
	}
	err := removal.KeepAddresses(ctx, r.supervisor(view.reads), machine, r.settings.Desired)
	if err != nil {
		return view.ended(observed.StepNetwork, err)
	}
	r.event(machine, eventNormal, "Kept", "Delete",
		fmt.Sprintf("kept VirtualMachine %s in %s for the next Machine of this name", ledger.VMName, ledger.Config))
	if err := r.letGo(ctx, machine); err != nil {
		return view.ended(observed.StepObserve, err)
	}
	view.gone = true
	return view
}

// heirloom is the consent of the person who kept the VirtualMachine of an earlier Machine of this name,
// "" for none. It does no I/O.
func (r *MachineReconciler) heirloom(machine *vitistackv1alpha1.Machine) string {
	keep, found, _ := r.brake.Remembered(client.ObjectKeyFromObject(machine))
	if !found || keep.Machine == machine.UID {
		return ""
	}
	return custody.Consent(keep.Config, types.UID(keep.VMUID))
}

// mayInherit reports whether a VirtualMachine may wait for a Machine: it has to be looked for
// everywhere, whatever cluster the Machine names.
func (r *MachineReconciler) mayInherit(machine *vitistackv1alpha1.Machine) bool {
	_, found, known := r.brake.Remembered(client.ObjectKeyFromObject(machine))
	return found || !known
}

// learnKept reads which VirtualMachines were kept, where that is not known yet. A failure is told only:
// the Machine is then looked for everywhere.
func (r *MachineReconciler) learnKept(ctx context.Context, machine *vitistackv1alpha1.Machine) {
	if _, _, err := r.brake.Kept(ctx, client.ObjectKeyFromObject(machine), false); err != nil {
		log.FromContext(ctx).Error(err, "Could not read which VirtualMachines were kept")
	}
}

// keptElsewhere reads again which VirtualMachines were kept, where an earlier Machine's stands in the
// way and nobody has consented: another process may have kept it.
func (r *MachineReconciler) keptElsewhere(
	ctx context.Context, machine *vitistackv1alpha1.Machine, c custody.Case,
) string {
	if c.Machine.Adopt != "" || !slices.ContainsFunc(c.Looks, func(l custody.Look) bool {
		return slices.ContainsFunc(l.Found, func(vm custody.Sighting) bool {
			return c.Relation(l, vm) == custody.OtherMachine
		})
	}) {
		return c.Machine.Adopt
	}
	if _, _, err := r.brake.Kept(ctx, client.ObjectKeyFromObject(machine), true); err != nil {
		log.FromContext(ctx).Error(err, "Could not read which VirtualMachines were kept")
	}
	return r.heirloom(machine)
}

// inherited strikes out that a VirtualMachine waits for a Machine, which has it now.
func (r *MachineReconciler) inherited(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	return problem.Supervisor(r.brake.Inherited(ctx, client.ObjectKeyFromObject(machine)),
		problem.At{Condition: vmReady, Doing: "striking out the kept virtual machine"})
}
