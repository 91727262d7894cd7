package move

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
)

// sight is what one look at both clusters showed.
type sight struct {
	moves.Case
	source sourceSight
	target targetSight
}

type sourceSight struct {
	remote   side.Remote
	silence  error // why it is silent
	vm       *kubevirtv1.VirtualMachine
	export   *exportv1.VirtualMachineExport
	internal bool // the disks are offered inside the cluster alone
}

type targetSight struct {
	remote  side.Remote
	silence error
	vm      *kubevirtv1.VirtualMachine
	disks   []vitistackv1alpha1.MoveDisk
	failing string // what keeps a disk from being fetched, "" for nothing
	wrong   string // what is wrong with a disk that was fetched
}

// look looks at both clusters, past every cache. An error is one of the supervisor.
func (j *job) look(ctx context.Context) (sight, error) {
	seen := sight{Case: moves.Case{Record: j.record, Wish: j.people()}}
	var err error
	if seen.Buried, err = j.Warden.IsBuried(ctx, vmUID(j.record.From)); err != nil {
		return seen, err
	}
	j.lookAtSource(ctx, &seen)
	j.lookAtTarget(ctx, &seen)
	if seen.Source.Silent && j.record.Stage == vitistackv1alpha1.MoveCommitted {
		seen.Owed, err = j.owes(ctx)
	}
	return seen, err
}

// people is what people want.
func (j *job) people() moves.Wish {
	wish := moves.Wish{Deleting: !j.machine.DeletionTimestamp.IsZero()}
	if j.wish == nil || j.wish.Spec.Abort || !j.wish.DeletionTimestamp.IsZero() {
		wish.GiveUp, wish.Reason = true, vitistackv1alpha1.ReasonMoveAborted
	}
	if j.wish != nil {
		wish.Keep = j.wish.Spec.Keep
	}
	return wish
}

// owes reports whether what is left at the source is written down as a debt.
func (j *job) owes(ctx context.Context) (bool, error) {
	debts, err := j.Payer.Book.Debts(ctx)
	for _, debt := range debts {
		if debt.UID == j.machine.UID && debt.Move == j.record.ID {
			return true, err
		}
	}
	return false, err
}

func (j *job) lookAtSource(ctx context.Context, seen *sight) {
	s := &seen.source
	silent := func(err error) { s.silence, seen.Source = err, moves.Source{Silent: true} }
	var err error
	if s.remote, err = survey.OpenAt(ctx, j.Clusters, j.record.From); err != nil {
		silent(err)
		return
	}
	if s.vm, err = readVM(ctx, s.remote, j.record.From); err != nil {
		silent(err)
		return
	}
	if s.vm != nil && s.vm.UID != vmUID(j.record.From) {
		s.vm = nil
	}
	if s.vm != nil && !s.vm.DeletionTimestamp.IsZero() { // as good as gone, and its end is to be waited for
		seen.Source.Left = true
	} else if s.vm != nil {
		by := s.vm.Annotations[vitistackv1alpha1.AnnotationMovedBy]
		token, stopped := strings.CutPrefix(by, j.record.ID+".")
		seen.Source = moves.Source{There: true, Halted: isHalted(s.vm), Stopped: stopped, Over: by == j.record.ID+over,
			Fence: removal.Fence(token, s.vm.Generation)}
		if seen.Source.Busy, err = busy(ctx, s.remote, s.vm); err != nil {
			silent(err)
			return
		}
	}
	if j.record.Stage != vitistackv1alpha1.MoveBegun || !seen.Source.There || seen.Source.Halted && !seen.Source.Busy {
		err = j.lookAtExport(ctx, seen)
	}
	if err == nil && s.vm == nil && j.record.Stage == vitistackv1alpha1.MoveCommitted {
		seen.Source.Left, err = j.leftOvers(ctx, s.remote)
	}
	if err != nil {
		silent(err)
	}
}

// over follows a move's ID in the annotation of the source once the move has done with it. Before
// that a point follows, and the token of the stop.
const over = ",over"

func readVM(
	ctx context.Context, remote side.Remote, ledger vitistackv1alpha1.Ledger,
) (*kubevirtv1.VirtualMachine, error) {
	vm := &kubevirtv1.VirtualMachine{}
	err := remote.Server.Get(ctx, client.ObjectKey{Namespace: ledger.Namespace, Name: ledger.VMName}, vm)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return vm, err
}

// isHalted reports whether a run strategy keeps a VirtualMachine off.
func isHalted(vm *kubevirtv1.VirtualMachine) bool {
	return strategyOf(vm) == kubevirtv1.RunStrategyHalted
}

func strategyOf(vm *kubevirtv1.VirtualMachine) kubevirtv1.VirtualMachineRunStrategy {
	switch {
	case vm.Spec.RunStrategy != nil:
		return *vm.Spec.RunStrategy
	case ptr.Deref(vm.Spec.Running, false):
		return kubevirtv1.RunStrategyAlways
	default:
		return kubevirtv1.RunStrategyHalted
	}
}

// busy looks for an instance of a VirtualMachine, and for Pods of it that have not ended.
func busy(ctx context.Context, remote side.Remote, vm *kubevirtv1.VirtualMachine) (bool, error) {
	instance := &kubevirtv1.VirtualMachineInstance{}
	err := remote.Server.Get(ctx, client.ObjectKeyFromObject(vm), instance)
	if err == nil {
		return true, nil
	}
	if !apierrors.IsNotFound(err) {
		return false, err
	}
	if !isHalted(vm) {
		return false, nil
	}
	launchers := &corev1.PodList{}
	err = remote.Server.List(ctx, launchers, client.InNamespace(vm.Namespace),
		client.MatchingLabels{kubevirtv1.AppLabel: "virt-launcher"})
	for i := range launchers.Items {
		pod := &launchers.Items[i]
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.Annotations[kubevirtv1.DomainAnnotation] == vm.Name && !ended {
			return true, err
		}
	}
	return false, err
}

// lookAtExport looks how far the source offers its disks.
func (j *job) lookAtExport(ctx context.Context, seen *sight) error {
	s := &seen.source
	export := &exportv1.VirtualMachineExport{}
	key := client.ObjectKey{Namespace: j.record.From.Namespace, Name: removal.OfferName(j.record.ID)}
	err := s.remote.Server.Get(ctx, key, export)
	if apierrors.IsNotFound(err) || err == nil && !export.DeletionTimestamp.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	s.export, seen.Source.Offered = export, true
	if export.Status == nil || export.Status.Phase != exportv1.Ready || export.Status.Links == nil {
		if j.record.Stage == vitistackv1alpha1.MoveBegun { // a process may have ended before it made the token
			seen.Source.Offered, err = hasSecret(ctx, s.remote, export.Namespace, export.Name)
		}
		return err
	}
	seen.Source.Ready = export.Status.Links.External != nil
	s.internal = !seen.Source.Ready
	return nil
}

// leftOvers reports whether disks of the record are still at the source.
func (j *job) leftOvers(ctx context.Context, remote side.Remote) (bool, error) {
	record, err := vitistackv1alpha1.DiskRecordOf(j.machine)
	if err != nil {
		return false, nil
	}
	for _, disk := range record {
		found, err := removal.Exists(ctx, remote.Server, j.record.From.Namespace, disk)
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}
