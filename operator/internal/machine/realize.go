package machine

import (
	"context"
	"fmt"
	"time"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// realized is what realize left.
type realized struct {
	machine *vitistackv1alpha1.Machine
	ledger  vitistackv1alpha1.Ledger
	vm      *kubevirtv1.VirtualMachine
	again   time.Duration
}

// claim puts the Machine's labels on a VirtualMachine that it took over. The returned one is what
// it is then.
func (r *MachineReconciler) claim(
	ctx context.Context, job provision.Job, found found,
) (*kubevirtv1.VirtualMachine, error) {
	if found.VM == nil || job.Labelled(found.VM) || !found.VM.DeletionTimestamp.IsZero() {
		return found.VM, nil
	}
	if err := r.held(job.Machine); err != nil {
		return found.VM, err
	}
	if found.Former != "" { // while the VirtualMachine still says whose it was
		if err := inherit(ctx, job, found); err != nil {
			return found.VM, err
		}
	}
	if r.settings.LegacySupervisorPVCs {
		if err := job.ClaimSupervisorPVCs(ctx, found.VM, found.Former); err != nil {
			return found.VM, err
		}
	}
	claimed, err := job.Claim(ctx, found.VM, found.Former)
	if err != nil {
		return found.VM, problem.Attempted(err)
	}
	if found.Former != "" {
		r.event(job.Machine, eventNormal, vitistackv1alpha1.ReasonAdopted, "Claim",
			fmt.Sprintf("took over VirtualMachine %s of %s from an earlier Machine of this name", claimed.Name,
				job.Remote.Config))
	}
	return claimed, nil
}

// inherit takes over the NetworkConfigurations of the Machine that the VirtualMachine was made for.
func inherit(ctx context.Context, job provision.Job, found found) error {
	namespaces, err := provision.NetworkNamespaces(ctx, job.Supervisor.Cache, job.Machine.Namespace, job.Network)
	if err != nil {
		return err
	}
	_, err = job.Configurations(ctx, namespaces,
		provision.Use{InUse: provision.InUse(found.VM, nil), Former: found.Former})
	return err
}

// realize makes the VirtualMachine what the Machine asks for: it is created if it is proven absent,
// and changed where the Machine changed.
func (r *MachineReconciler) realize(
	ctx context.Context, job provision.Job, found found, net network, placed place,
) (realized, error) {
	result := realized{machine: job.Machine, ledger: job.Ledger, vm: found.VM}
	if found.VM == nil {
		return r.create(ctx, job, found, net, placed)
	}
	if !found.VM.DeletionTimestamp.IsZero() {
		return result, nil // the status says so, and its end is an event
	}
	sources := func(ctx context.Context) (*desired.CloudInit, error) {
		return job.CloudInit(ctx, net.namespaces, net.configurations)
	}
	if job.Ledger.VMUID != string(found.VM.UID) {
		completed, err := r.complete(ctx, job, found, sources)
		if err != nil {
			return result, err
		}
		result.machine, result.ledger = completed.machine, completed.ledger
		job.Machine, job.Ledger = completed.machine, completed.ledger
	}
	return result, r.change(ctx, job, found.VM, sources)
}

// create creates the VirtualMachine, which is proven to be absent. The next reconcile completes the
// record: where many Machines are made at once, all guests boot before the books are kept.
func (r *MachineReconciler) create(
	ctx context.Context, job provision.Job, found found, net network, placed place,
) (realized, error) {
	result := realized{machine: job.Machine, ledger: job.Ledger}
	if may := found.Case.MayCreate(); may.Is == custody.Refused {
		return result, problem.Person(vmReady, may.Reason, "%s", may.Message)
	}
	class, err := provision.Class(ctx, job.Supervisor.Cache, job.Machine, nil, job.Options)
	if err != nil {
		return result, err
	}
	if err := r.held(job.Machine); err != nil {
		return result, err
	}
	init, err := job.CloudInit(ctx, net.namespaces, net.configurations)
	if err != nil {
		return result, err
	}
	placed.machine = job.Machine
	fence := r.fence(placed, func(written *vitistackv1alpha1.Machine) { result.machine = written })
	vm, err := job.Create(ctx, class, init, fence)
	if ledger, parseErr := vitistackv1alpha1.LedgerOf(result.machine); parseErr == nil {
		result.ledger = ledger
	}
	if err != nil {
		return result, problem.Attempted(err)
	}
	now := r.clock.Now()
	r.memory.rush.Made(job.Machine.UID, now)
	if job.Ledger.VMUID == "" { // else it is made anew, long after the Machine
		r.metrics.Created(job.Remote.Config, job.Machine, now)
	}
	result.vm, result.again = vm, wake.GatherTime
	return result, nil
}

// complete does what is left of a creation or an adoption: the cloud-init Secret is there, and the
// ledger gets the VirtualMachine's UID last.
func (r *MachineReconciler) complete(
	ctx context.Context, job provision.Job, found found, sources provision.Sources,
) (realized, error) {
	vm := found.VM
	if err := r.heldRecord(job.Machine); err != nil {
		return realized{}, err
	}
	lacks, err := job.LacksSecret(ctx, vm)
	if err != nil {
		return realized{}, err
	}
	if lacks {
		init, err := sources(ctx)
		if err != nil {
			return realized{}, err
		}
		if err := job.CreateSecret(ctx, vm, init); err != nil {
			return realized{}, err
		}
	}
	ledger := job.Ledger
	ledger.VMUID, ledger.VMName = string(vm.UID), vm.Name
	written, err := r.write(ctx, job.Machine, entry{ledger: &ledger, restart: r.consumed(job.Machine)})
	if err != nil {
		return realized{}, err
	}
	if found.Restored {
		r.event(written, eventNormal, vitistackv1alpha1.ReasonAdopted, "Restore",
			fmt.Sprintf("VirtualMachine %s of %s came back under UID %s and was taken up again", vm.Name, job.Remote.Config,
				vm.UID))
	} else {
		r.event(written, eventNormal, "Created", "Create",
			fmt.Sprintf("created VirtualMachine %s in %s", vm.Name, job.Remote.Config))
	}
	return realized{machine: written, ledger: ledger, vm: vm}, nil
}

// change changes the VirtualMachine in what the Machine wishes otherwise than last.
func (r *MachineReconciler) change(
	ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine, sources provision.Sources,
) error {
	last, applied := provision.Applied(vm)
	if !applied {
		return r.writeWish(ctx, job, vm)
	}
	class, err := provision.Class(ctx, job.Supervisor.Cache, job.Machine, &last, job.Options)
	if err != nil {
		return err
	}
	now, err := job.Wish(class, &last)
	if err != nil {
		return err
	}
	if now.String() == last.String() {
		return nil
	}
	if err := r.held(job.Machine); err != nil {
		return err
	}
	changed, err := job.Change(ctx, vm, class, provision.Wishes{Now: now, Last: last}, sources)
	if err != nil || !changed {
		return problem.Attempted(err)
	}
	r.event(job.Machine, eventNormal, "Changed", "Apply",
		fmt.Sprintf("changed VirtualMachine %s in %s", vm.Name, job.Remote.Config))
	return nil
}

// writeWish writes down what the Machine wishes on a VirtualMachine that was adopted: from then on
// a change of the Machine is a change.
func (r *MachineReconciler) writeWish(ctx context.Context, job provision.Job, vm *kubevirtv1.VirtualMachine) error {
	now, err := job.AdoptedWish(vm)
	if err != nil {
		return err
	}
	if err := r.held(job.Machine); err != nil {
		return err
	}
	return problem.Attempted(job.WriteWish(ctx, vm, now))
}

// held returns the error of the last attempt to write, while the next one is not due: an event in
// the remote cluster brings no refused write back sooner. A Machine that asks for something else is
// tried at once.
func (r *MachineReconciler) held(machine *vitistackv1alpha1.Machine) error {
	if p := r.lastAttempt(machine); p != nil {
		return p
	}
	return nil
}

// heldRecord does the same for the record in the Machine alone. What else was refused does not keep
// it from being written.
func (r *MachineReconciler) heldRecord(machine *vitistackv1alpha1.Machine) error {
	if p := r.lastAttempt(machine); p != nil && p.Condition == vitistackv1alpha1.ConditionPlaced {
		return p
	}
	return nil
}

// lastAttempt is the problem of the last attempt to write, nil where there is none or the next one
// is due.
func (r *MachineReconciler) lastAttempt(machine *vitistackv1alpha1.Machine) *problem.Problem {
	row, found := r.memory.streaks.Of(client.ObjectKeyFromObject(machine), asks(machine))
	if !found || !r.clock.Now().Before(row.Due) {
		return nil
	}
	if p, isProblem := problem.As(row.Last); isProblem && p.Attempted {
		return p
	}
	return nil
}
