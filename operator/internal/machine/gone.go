package machine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/brake"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// gone goes the steps of a Machine that is being deleted.
func (r *MachineReconciler) gone(ctx context.Context, view report) report {
	if !isHeld(view.Machine) {
		view.Reached = observed.StepObserve
		return view
	}
	supervisor := r.supervisor(view.reads)

	if _, moving, _ := vitistackv1alpha1.MoveRecordOf(view.Machine); moving { // which ends first, on both sides
		view.Ledger = r.known(view.Machine)
		return r.orRelease(ctx, view.ended(observed.StepPlace, underWay(view.Machine)))
	}
	placed, err := r.lastPlace(ctx, view.Machine)
	view.Ledger = placed.ledger
	if err != nil {
		return r.orRelease(ctx, view.ended(observed.StepPlace, err))
	}
	view.Machine = placed.machine

	if placed.ledger != nil {
		if brake.Kept(view.Machine) && !r.hasBegun(ctx, view.Machine, *placed.ledger) {
			return r.keepVM(ctx, view, *placed.ledger)
		}
		wait, err := r.mayDelete(ctx, view.Machine, *placed.ledger)
		if err != nil {
			return r.orRelease(ctx, view.ended(observed.StepPlace, err))
		}
		if view.again = wait; wait > 0 {
			return view
		}
		view.Released = true
		left, err := r.remove(ctx, view, placed)
		view.Machine, view.VM, view.Looked, view.Copies = left.machine, left.vm, left.looked, left.copies
		if err != nil {
			return r.orRelease(ctx, view.ended(observed.StepVM, refusedRemoval(err)))
		}
	}

	if err := removal.GiveUpAddresses(ctx, supervisor, view.Machine, r.settings.Desired); err != nil {
		return view.ended(observed.StepNetwork, err)
	}
	if r.settings.LegacySupervisorPVCs {
		if err := removal.DeleteSupervisorPVCs(ctx, supervisor, view.Machine, r.settings.Desired); err != nil {
			return view.ended(observed.StepStorage, err)
		}
	}
	if err := r.oweLate(ctx, view.Machine); err != nil {
		return view.ended(observed.StepVM, err)
	}
	if err := r.letGo(ctx, view.Machine); err != nil {
		return view.ended(observed.StepObserve, err)
	}
	view.gone = true
	return view
}

// refusedRemoval marks what a cluster has against a removal, so that no event brings the attempt
// back before it is due. Waiting for what is going is no attempt: its end is followed at once.
func refusedRemoval(err error) error {
	if p, isProblem := problem.As(err); isProblem && p.Reason != vitistackv1alpha1.ReasonDeleting &&
		p.Condition != vitistackv1alpha1.ConditionRemoteReachable {
		return problem.Attempted(err)
	}
	return err
}

// lastPlace is where a Machine that is being deleted was placed. A nil ledger means that it was
// placed nowhere.
func (r *MachineReconciler) lastPlace(ctx context.Context, machine *vitistackv1alpha1.Machine) (place, error) {
	reading := r.read(machine)
	placed := place{machine: machine, network: provision.RecordedNetwork(machine)}
	switch reading.Standing {
	case custody.Confirmed:
		decision := r.stay(reading.Ledger)
		return r.keep(ctx, placed, decision)
	case custody.Lost:
		decision, err := r.restore(ctx, machine, reading.Ledger)
		if err != nil {
			return placed, err
		}
		return r.keep(ctx, placed, decision)
	case custody.Broken:
		if machine.Status.KubevirtConfigRef != nil {
			return placed, problem.Person(vitistackv1alpha1.ConditionReady, reading.Reason, "%s", reading.Message)
		}
	case custody.Unconfirmed:
		decision, confirmed := r.confirm(ctx, machine, reading.Ledger)
		if confirmed {
			return r.keep(ctx, placed, decision)
		}
		placed, err := r.searchEverywhere(ctx, placed)
		_, begun := machine.Annotations[vitistackv1alpha1.AnnotationPlacementDisks]
		if err == nil && placed.ledger == nil && begun {
			placed.ledger = &reading.Ledger // the VirtualMachine went before the status knew it; its labelled disks are left
		}
		return placed, err
	}
	return r.searchEverywhere(ctx, placed)
}

// keep writes a decision down where that is not recorded yet.
func (r *MachineReconciler) keep(ctx context.Context, placed place, decision Decision) (place, error) {
	placed.ledger, placed.seen = &decision.Ledger, decision.Seen
	if decision.Verdict == VerdictPlaced {
		return placed, nil
	}
	written, err := r.write(ctx, placed.machine, entry{ledger: &decision.Ledger})
	placed.machine, placed.fenced = written, err == nil
	return placed, err
}

// searchEverywhere looks for what was made for a Machine that has the finalizer and no record: the
// two are written together, so that a Machine with the one alone has lost the other.
func (r *MachineReconciler) searchEverywhere(ctx context.Context, placed place) (place, error) {
	vmName, err := r.vmName(placed.machine, vitistackv1alpha1.Ledger{})
	if err != nil {
		return placed, err
	}
	configs, err := r.configs(ctx)
	if err != nil {
		return placed, err
	}
	names := make([]string, len(configs))
	for i := range configs {
		names[i] = configs[i].Name
	}
	seen := survey.Everywhere(ctx, r.KubevirtClientMgr, names, r.lookFor(placed.machine, vmName, true))
	c, err := r.caseOf(ctx, placed.machine, vmName, nil, seen)
	if err != nil {
		return placed, err
	}
	found := c.FindLost()
	switch found.Is {
	case custody.Absent:
		return placed, nil
	case custody.Undecided:
		return placed, problem.Cluster(vitistackv1alpha1.ConditionPlaced, found.Reason, "%s", found.Message)
	case custody.Refused:
		return placed, problem.Person(vitistackv1alpha1.ConditionPlaced, found.Reason, "%s", found.Message)
	}
	ledger, err := r.ledgerFor(placed.machine, found.Place.VM.Name, found.Place.Config, custody.Reading{})
	if err != nil {
		return placed, err
	}
	ledger.VMUID = string(found.Place.VM.UID)
	return r.keep(ctx, placed, Decision{Verdict: VerdictRestore, Ledger: ledger, Seen: seen})
}

// removed is how far a removal got.
type removed struct {
	machine *vitistackv1alpha1.Machine
	vm      *kubevirtv1.VirtualMachine
	looked  bool // the cluster answered: a nil vm means that it is gone
	copies  []string
}

// remove deletes the recorded VirtualMachine with its disks, and waits until all are gone. What
// carries the Machine's labels and is not recorded stays.
func (r *MachineReconciler) remove(ctx context.Context, view report, placed place) (removed, error) {
	left := removed{machine: placed.machine}
	if err := r.held(placed.machine); err != nil {
		return left, err
	}
	remote, err := r.open(ctx, placed.machine, view.reads)
	if err != nil {
		return left, err
	}
	job := r.job(placed, r.supervisor(view.reads), remote, view)
	seen := r.lately(ctx, placed, job)
	if seen.Silent != nil {
		return left, problem.Remote(seen.Silent, remote.Config, problem.At{
			Condition: vitistackv1alpha1.ConditionReady, Doing: "looking for VirtualMachine " + job.Ledger.VMName,
		})
	}
	found, err := r.judged(ctx, job, seen)
	if p, isProblem := problem.As(err); isProblem && p.Reason == vitistackv1alpha1.ReasonNameCollision {
		err = nil // what has the name is somebody else's; the Machine's own is gone
		if kept := seen.VM(types.UID(job.Ledger.VMUID)); kept != nil {
			r.event(left.machine, eventWarning, p.Reason, "Delete",
				fmt.Sprintf("kept VirtualMachine %s in %s, which the ledger names: "+
					"its labels say that it is another Machine's", kept.Name, remote.Config))
		}
	}
	if err != nil {
		return left, err
	}
	left.looked, left.copies = true, found.Copies
	work := removal.Job{MachineUID: placed.machine.UID, SupervisorUID: r.settings.Desired.SupervisorUID,
		Ledger: job.Ledger, Remote: remote}
	if found.VM != nil && found.Restored { // the record names another one: this one is kept, and told
		left.copies = append(left.copies,
			fmt.Sprintf("VirtualMachine %s (%s) in %s", found.VM.Name, found.VM.UID, remote.Config))
		found.VM = nil
	}
	if found.VM != nil && found.Former == "" {
		return r.removeVM(ctx, job, work, found, left)
	}
	return left, r.removeDisks(ctx, work, left)
}

// removeVM records the disks of the VirtualMachine and deletes it.
func (r *MachineReconciler) removeVM(
	ctx context.Context, job provision.Job, work removal.Job, found found, left removed,
) (removed, error) {
	left.vm = found.VM
	if found.VM.DeletionTimestamp.IsZero() {
		claimed, err := r.claim(ctx, job, found)
		if err != nil {
			return left, err
		}
		disks, err := work.DisksOf(ctx, claimed)
		if err != nil {
			return left, err
		}
		if written := left.machine.Annotations[vitistackv1alpha1.AnnotationPlacementDisks]; written != disks.String() {
			record := entry{disks: append(vitistackv1alpha1.DiskRecord{}, disks...)}
			if left.machine, err = r.write(ctx, left.machine, record); err != nil {
				return left, err
			}
		}
	}
	deleted, err := work.DeleteVM(ctx, found.VM)
	if deleted {
		r.event(left.machine, eventNormal, "Deleted", "Delete",
			fmt.Sprintf("deleted VirtualMachine %s in %s", found.VM.Name, job.Remote.Config))
	}
	return left, err
}

// removeDisks waits for the recorded disks, and tells of those that stay.
func (r *MachineReconciler) removeDisks(ctx context.Context, work removal.Job, left removed) error {
	var record vitistackv1alpha1.DiskRecord
	if text, written := left.machine.Annotations[vitistackv1alpha1.AnnotationPlacementDisks]; written {
		var err error
		if record, err = vitistackv1alpha1.ParseDiskRecord(text); err != nil {
			return problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonLedgerInvalid,
				"annotation %s cannot be read (%v); take it off, delete the disks by hand if they are not wanted, and the Machine goes",
				vitistackv1alpha1.AnnotationPlacementDisks, err)
		}
	}
	if err := work.DeleteDisks(ctx, record); err != nil {
		return err
	}
	disks, err := work.CopiedDisks(ctx, record)
	if err != nil {
		return err
	}
	kept := slices.Clone(left.copies)
	for _, name := range disks {
		kept = append(kept, "disk "+name+" in "+work.Remote.Config)
	}
	if len(kept) > 0 {
		r.event(left.machine, eventWarning, vitistackv1alpha1.ReasonCopiesFound, "Delete",
			"kept what carries the Machine's labels and was not made for it: "+strings.Join(kept, ", "))
	}
	return nil
}

// letGo takes the finalizers off: the operator's, and the public operator's, whose work is done
// too.
func (r *MachineReconciler) letGo(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	released := machine.DeepCopy()
	controllerutil.RemoveFinalizer(released, vitistackv1alpha1.FinalizerMachine)
	controllerutil.RemoveFinalizer(released, vitistackv1alpha1.FinalizerMachinePublic)
	err := r.Patch(ctx, released, client.MergeFromWithOptions(machine, client.MergeFromWithOptimisticLock{}))
	if err := client.IgnoreNotFound(err); err != nil {
		return problem.Supervisor(err, problem.At{Condition: vitistackv1alpha1.ConditionReady,
			Doing: "taking the finalizer off"})
	}
	log.FromContext(ctx).Info("Released machine")
	return nil
}
