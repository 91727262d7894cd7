package move

import (
	"context"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
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

// lookAtTarget looks what the move has made at the target.
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
	return hasSecret(ctx, remote, j.record.To.Namespace, removal.OfferName(j.record.ID))
}

// hasSecret reports whether there is a Secret of a name that is not on its way out.
func hasSecret(ctx context.Context, remote side.Remote, namespace, name string) (bool, error) {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := remote.Server.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && secret.DeletionTimestamp.IsZero(), err
}
