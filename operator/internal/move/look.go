package move

import (
	"context"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/relocation"
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
	instance *kubevirtv1.VirtualMachineInstance
	claims   map[string]corev1.PersistentVolumeClaim
	export   *exportv1.VirtualMachineExport
	internal bool // the disks are offered inside the cluster alone
	left     string
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
		seen.Source.Left, s.left = true, "VirtualMachine "+s.vm.Name
	} else if s.vm != nil {
		by := s.vm.Annotations[vitistackv1alpha1.AnnotationMovedBy]
		token, stopped := strings.CutPrefix(by, j.record.ID+".")
		seen.Source = moves.Source{There: true, Halted: isHalted(s.vm), Stopped: stopped, Over: by == j.record.ID+over,
			Fence: removal.Fence(token, s.vm.Generation)}
		if s.instance, seen.Source.Busy, err = busy(ctx, s.remote, s.vm); err != nil {
			silent(err)
			return
		}
	}
	if j.record.Stage != vitistackv1alpha1.MoveBegun || !seen.Source.There || seen.Source.Halted && !seen.Source.Busy {
		err = j.lookAtExport(ctx, seen)
	}
	if err == nil && s.vm == nil && j.record.Stage == vitistackv1alpha1.MoveCommitted {
		seen.Source.Left, s.left, err = j.leftOvers(ctx, s.remote)
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
func busy(
	ctx context.Context, remote side.Remote, vm *kubevirtv1.VirtualMachine,
) (*kubevirtv1.VirtualMachineInstance, bool, error) {
	instance := &kubevirtv1.VirtualMachineInstance{}
	err := remote.Server.Get(ctx, client.ObjectKeyFromObject(vm), instance)
	if err == nil {
		return instance, true, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, false, err
	}
	if !isHalted(vm) {
		return nil, false, nil
	}
	launchers := &corev1.PodList{}
	err = remote.Server.List(ctx, launchers, client.InNamespace(vm.Namespace),
		client.MatchingLabels{kubevirtv1.AppLabel: "virt-launcher"})
	for i := range launchers.Items {
		pod := &launchers.Items[i]
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.Annotations[kubevirtv1.DomainAnnotation] == vm.Name && !ended {
			return nil, true, err
		}
	}
	return nil, false, err
}

// lookAtExport looks how far the source offers its disks.
func (j *job) lookAtExport(ctx context.Context, seen *sight) error {
	s := &seen.source
	export := &exportv1.VirtualMachineExport{}
	key := client.ObjectKey{Namespace: j.record.From.Namespace, Name: exportName(j.record)}
	err := s.remote.Server.Get(ctx, key, export)
	if apierrors.IsNotFound(err) || err == nil && !export.DeletionTimestamp.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	s.export, seen.Source.Offered = export, true
	if export.Status == nil || export.Status.Phase != exportv1.Ready || export.Status.Links == nil {
		return nil
	}
	seen.Source.Ready = export.Status.Links.External != nil
	s.internal = !seen.Source.Ready
	return nil
}

// leftOvers looks for the disks of the record that are still at the source. what names one.
func (j *job) leftOvers(ctx context.Context, remote side.Remote) (left bool, what string, err error) {
	record, err := vitistackv1alpha1.ParseDiskRecord(j.machine.Annotations[vitistackv1alpha1.AnnotationPlacementDisks])
	if err != nil {
		return false, "", nil
	}
	for _, disk := range record {
		found, err := removal.Exists(ctx, remote.Server, j.record.From.Namespace, disk)
		if found || err != nil {
			return found, "disk " + disk.Name, err
		}
	}
	return false, "", nil
}

func (j *job) lookAtTarget(ctx context.Context, seen *sight) {
	t := &seen.target
	silent := func(err error) { t.silence, seen.Target = err, moves.Target{Silent: true} }
	var err error
	if t.remote, err = survey.OpenAt(ctx, j.Clusters, j.record.To); err != nil {
		silent(err)
		return
	}
	vm, err := readVM(ctx, t.remote, j.record.To)
	if err != nil {
		silent(err)
		return
	}
	switch {
	case vm == nil:
		if j.record.Stage == vitistackv1alpha1.MoveCommitted && !seen.Source.There {
			seen.Target.Left, err = j.fed(ctx, t.remote)
		}
	case !j.made(vm):
		seen.Target.Taken = true
	default:
		t.vm = vm
		err = j.lookAtCopy(ctx, seen)
	}
	if err != nil {
		silent(err)
	}
}

// made reports whether a VirtualMachine is the one that this move made.
func (j *job) made(vm *kubevirtv1.VirtualMachine) bool {
	return desired.IsOurs(vm.Labels, j.machine.UID, j.Options.SupervisorUID) &&
		vm.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] == j.record.To.Nonce &&
		(j.record.Stage != vitistackv1alpha1.MoveCommitted || vm.UID == vmUID(j.record.To))
}

func (j *job) lookAtCopy(ctx context.Context, seen *sight) error {
	t := &seen.target
	seen.Target = moves.Target{There: true, Halted: isHalted(t.vm)}
	fence, rest, _ := strings.Cut(t.vm.Annotations[vitistackv1alpha1.AnnotationMoveFence], ",")
	seen.Target.Fence = fence
	seen.Target.Lifted = ","+rest == vitistackv1alpha1.MoveFenceLifted
	seen.Target.Withdrawn = ","+rest == vitistackv1alpha1.MoveFenceWithdrawn
	if seen.Target.Lifted {
		instance := &kubevirtv1.VirtualMachineInstance{}
		err := t.remote.Server.Get(ctx, client.ObjectKeyFromObject(t.vm), instance)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		seen.Target.Running = err == nil && instance.Status.Phase == kubevirtv1.Running
		if j.record.Stage == vitistackv1alpha1.MoveCommitted && !seen.Source.There {
			seen.Target.Left, err = j.fed(ctx, t.remote)
			return client.IgnoreNotFound(err)
		}
		return nil
	}
	if j.record.Stage == vitistackv1alpha1.MoveCommitted {
		seen.Target.Copy = moves.Whole // which the commit found
		return nil
	}
	whole := true
	for _, template := range t.vm.Spec.DataVolumeTemplates {
		disk, err := readDisk(ctx, t, template)
		if err != nil {
			return err
		}
		disk.Name = volumeOf(t.vm, disk.Claim)
		t.disks = append(t.disks, disk)
		whole = whole && disk.Phase == string(cdiv1beta1.Succeeded)
	}
	j.memory.saw(client.ObjectKeyFromObject(j.machine), t.disks)
	switch {
	case t.wrong != "":
		seen.Target.Copy = moves.Wrong
	case whole:
		seen.Target.Copy = moves.Whole
	}
	return nil
}

// readDisk looks how far a disk is at the target.
func readDisk(
	ctx context.Context, t *targetSight, template kubevirtv1.DataVolumeTemplateSpec,
) (vitistackv1alpha1.MoveDisk, error) {
	disk := vitistackv1alpha1.MoveDisk{Claim: template.Name}
	if template.Spec.Storage != nil {
		disk.Bytes = template.Spec.Storage.Resources.Requests.Storage().Value()
	}
	key := client.ObjectKey{Namespace: t.vm.Namespace, Name: template.Name}
	volume := &cdiv1beta1.DataVolume{}
	err := t.remote.Server.Get(ctx, key, volume)
	if apierrors.IsNotFound(err) {
		return disk, nil
	}
	if err != nil {
		return disk, err
	}
	disk.Phase = string(volume.Status.Phase)
	switch volume.Status.Phase {
	case cdiv1beta1.Succeeded:
		disk.Copied = disk.Bytes
		claim := &corev1.PersistentVolumeClaim{}
		if err := t.remote.Server.Get(ctx, key, claim); err != nil {
			return disk, err
		}
		if has := relocation.SizeOf(*claim); has < disk.Bytes {
			t.wrong = "disk " + template.Name + " has " + strconv.FormatInt(has, 10) + " bytes, and the source " +
				strconv.FormatInt(disk.Bytes, 10)
		}
	case cdiv1beta1.Failed:
		t.wrong = "disk " + template.Name + " could not be fetched" + why(volume)
	default:
		disk.Copied = int64(float64(disk.Bytes) * percent(volume.Status.Progress))
		if volume.Status.RestartCount > 0 {
			if reason := why(volume); reason != "" {
				t.failing = "disk " + template.Name + reason
			}
		}
	}
	return disk, nil
}

// percent reads a progress like 12.34%. What is no number is none.
func percent(progress cdiv1beta1.DataVolumeProgress) float64 {
	number, err := strconv.ParseFloat(strings.TrimSuffix(string(progress), "%"), 64)
	if err != nil || number < 0 || number > 100 {
		return 0
	}
	return number / 100
}

// why is what a DataVolume says of a trouble, "" for nothing.
func why(volume *cdiv1beta1.DataVolume) string {
	for _, c := range volume.Status.Conditions {
		if c.Type == cdiv1beta1.DataVolumeRunning && c.Status == corev1.ConditionFalse && c.Message != "" {
			return ": " + strings.TrimSpace(c.Message)
		}
	}
	return ""
}

func volumeOf(vm *kubevirtv1.VirtualMachine, claim string) string {
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		if desired.ClaimName(vm, volume.Name) == claim {
			return volume.Name
		}
	}
	return claim
}

// fed reports whether what the target's disks are fetched with is still there.
func (j *job) fed(ctx context.Context, remote side.Remote) (bool, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := remote.Server.Get(ctx, client.ObjectKey{Namespace: j.record.To.Namespace, Name: feedName(j.record)}, secret)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && secret.DeletionTimestamp.IsZero(), err
}
