package move

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
)

// do does one act. done says that this reconcile ends with it.
func (j *job) do(ctx context.Context, seen sight, next moves.Next) (done bool, err error) {
	if err := j.newest(ctx); err != nil {
		return true, err
	}
	switch next.Act {
	case moves.Stop:
		return false, j.patchSource(ctx, seen, j.record.ID+"."+rand.Text()[:12], kubevirtv1.RunStrategyHalted)
	case moves.Restore:
		strategy := strategyOf(seen.source.vm)
		if seen.Source.Stopped && seen.Source.Halted && !seen.Wish.Deleting {
			strategy = kubevirtv1.VirtualMachineRunStrategy(j.record.Was)
		}
		return false, j.patchSource(ctx, seen, j.record.ID+over, strategy)
	case moves.Offer:
		return false, j.offer(ctx, seen)
	case moves.Make:
		return false, j.make(ctx, seen)
	case moves.Commit:
		return false, j.commit(ctx, seen)
	case moves.Lift:
		return false, j.patchTarget(ctx, seen, vitistackv1alpha1.MoveFenceLifted,
			kubevirtv1.VirtualMachineRunStrategy(j.record.Was))
	case moves.Withdraw:
		return false, j.patchTarget(ctx, seen, vitistackv1alpha1.MoveFenceWithdrawn, kubevirtv1.RunStrategyHalted)
	case moves.Settle:
		record := j.record
		record.Final = true
		return false, j.write(ctx, record, nil)
	case moves.GiveUp:
		return false, j.giveUp(ctx, next.Reason, "")
	case moves.Bury:
		return false, j.Warden.Bury(ctx, removal.GraveOf(j.debt(seen)))
	case moves.Owe:
		return false, j.Payer.Owe(ctx, j.debt(seen))
	case moves.Clear:
		return true, j.clear(ctx, seen)
	case moves.Unmake:
		return true, j.unmake(ctx, seen)
	case moves.Tidy:
		return false, j.tidy(ctx, seen)
	case moves.End:
		return true, j.end(ctx)
	default:
		return true, fmt.Errorf("unknown act %s", next.Act)
	}
}

// errStale says that the Machine's record is another one than the one in hand.
var errStale = apierrors.NewConflict(vitistackv1alpha1.Resource("machines"), "", fmt.Errorf("its record has changed"))

// newest reads the Machine past the cache, and fails where its record is not the one in hand: then
// somebody else goes on with the move.
func (j *job) newest(ctx context.Context) error {
	live := &vitistackv1alpha1.Machine{}
	if err := j.Live.Get(ctx, client.ObjectKeyFromObject(j.machine), live); err != nil {
		return err
	}
	record, under, err := vitistackv1alpha1.MoveRecordOf(live)
	deleting := !j.machine.DeletionTimestamp.IsZero()
	if err != nil || !under || live.UID != j.machine.UID || record != j.record ||
		deleting == live.DeletionTimestamp.IsZero() {
		return errStale
	}
	j.machine = live
	return nil
}

// patchSource changes what starts the source, and who says so.
func (j *job) patchSource(
	ctx context.Context, seen sight, by string, strategy kubevirtv1.VirtualMachineRunStrategy,
) error {
	return patchVM(ctx, seen.source.remote, seen.source.vm,
		map[string]any{vitistackv1alpha1.AnnotationMovedBy: by}, strategy)
}

// patchTarget changes what starts the target, and its fence.
func (j *job) patchTarget(
	ctx context.Context, seen sight, fence string, strategy kubevirtv1.VirtualMachineRunStrategy,
) error {
	return patchVM(ctx, seen.target.remote, seen.target.vm,
		map[string]any{vitistackv1alpha1.AnnotationMoveFence: seen.Target.Fence + fence}, strategy)
}

// patchVM changes annotations and the run strategy of the very VirtualMachine that was seen.
func patchVM(
	ctx context.Context, remote side.Remote, vm *kubevirtv1.VirtualMachine, annotations map[string]any,
	strategy kubevirtv1.VirtualMachineRunStrategy,
) error {
	patch := map[string]any{"metadata": map[string]any{
		"uid": vm.UID, "resourceVersion": vm.ResourceVersion, "annotations": annotations,
	}}
	if strategyOf(vm) != strategy {
		patch["spec"] = map[string]any{"running": nil, "runStrategy": strategy}
	}
	text, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	err = remote.Writer.Patch(ctx, vm.DeepCopy(), client.RawPatch(types.MergePatchType, text), side.FieldOwner)
	return problem.Remote(err, remote.Config, problem.At{
		Condition: vitistackv1alpha1.ConditionReady, Doing: "changing the run strategy of VirtualMachine " + vm.Name,
	})
}

// debt is what is left at the source.
func (j *job) debt(seen sight) removal.Debt {
	debt := removal.Debt{Machine: j.machine.Name, UID: j.machine.UID, Ledger: j.record.From, Move: j.record.ID,
		Fence: seen.Target.Fence}
	if disks, err := vitistackv1alpha1.DiskRecordOf(j.machine); err == nil {
		debt.Disks = disks
	}
	return debt
}

// removal is the deletion of what the record names at the source.
func (j *job) removal(seen sight) removal.Job {
	return removal.Job{MachineUID: j.machine.UID, SupervisorUID: j.Options.SupervisorUID, Ledger: j.record.From,
		Remote: seen.source.remote}
}

// clear deletes the source's VirtualMachine and then its disks. The problem that it returns says
// what is still there.
func (j *job) clear(ctx context.Context, seen sight) error {
	if seen.source.vm != nil {
		return deleteVM(ctx, seen.source.remote, seen.source.vm)
	}
	record, err := vitistackv1alpha1.DiskRecordOf(j.machine)
	if err != nil {
		return nil // it was deleted with its VirtualMachine, as far as anybody knows
	}
	return j.removal(seen).DeleteDisks(ctx, record)
}

// unmake deletes the VirtualMachine that the move made; its disks go with it.
func (j *job) unmake(ctx context.Context, seen sight) error {
	return deleteVM(ctx, seen.target.remote, seen.target.vm)
}

// deleteVM deletes the very VirtualMachine that was seen, in the version that was seen.
func deleteVM(ctx context.Context, remote side.Remote, vm *kubevirtv1.VirtualMachine) error {
	if !vm.DeletionTimestamp.IsZero() {
		return nil
	}
	guard := client.Preconditions{UID: &vm.UID, ResourceVersion: &vm.ResourceVersion}
	err := client.IgnoreNotFound(remote.Writer.Delete(ctx, vm.DeepCopy(), guard))
	if err == nil {
		log.FromContext(ctx).Info("Deleted VirtualMachine", "kubevirtConfig", remote.Config, "vm", vm.Name)
	}
	return problem.Remote(err, remote.Config,
		problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "deleting VirtualMachine " + vm.Name})
}

// after ends a reconcile in which something was done, or failed.
func (j *job) after(ctx context.Context, seen sight, err error) (ctrl.Result, error) {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return ctrl.Result{RequeueAfter: problem.StaleRetry}, nil
	}
	if p, isProblem := problem.As(err); isProblem && p.Stale {
		return ctrl.Result{RequeueAfter: problem.StaleRetry}, nil
	} else if isProblem {
		return j.hindered(ctx, seen, p)
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: soonAgain}, nil
}

// soonAgain is when what was begun is looked at again.
const soonAgain = 300 * time.Millisecond
