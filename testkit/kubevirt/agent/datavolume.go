package agent

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// importer plays CDI: it gives each DataVolume a claim and reports how it is filled.
type importer struct {
	client   client.Client
	events   events.EventRecorder
	script   Script
	schedule *lockedSchedule
	// contents keeps what claims are filled with, and downloads fills those that are really got from
	// somewhere.
	contents  *contents.Store
	downloads *downloads
}

// Reconcile takes a DataVolume one step on. Its next event, or the next step of its progress,
// brings the next one.
func (i *importer) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	volume := &cdiv1.DataVolume{}
	if err := i.client.Get(ctx, request.NamespacedName, volume); err != nil {
		if apierrors.IsNotFound(err) {
			i.downloads.stop(request.NamespacedName)
		}
		return reconcile.Result{}, err
	}
	if volume.DeletionTimestamp != nil || volume.Status.Phase == cdiv1.Succeeded || volume.Status.Phase == cdiv1.Failed {
		i.schedule.forget(volume.UID)
		i.downloads.stop(request.NamespacedName)
		return reconcile.Result{}, nil
	}
	next := volume.DeepCopy()
	wait, err := i.step(ctx, next)
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: wait}, patchStatus(ctx, i.client, volume, next)
}

func (i *importer) step(ctx context.Context, volume *cdiv1.DataVolume) (time.Duration, error) {
	behaviour, err := i.behaviour(ctx, volume)
	if err != nil {
		i.events.Eventf(volume, nil, corev1.EventTypeWarning, "InvalidScript", "Import", "%s", err.Error())
		setVolumeState(volume, cdiv1.Pending, corev1.ConditionFalse, "InvalidScript", err.Error())
		return 0, nil
	}
	claim, err := i.claim(ctx, volume)
	if err != nil {
		return 0, err
	}
	volume.Status.ClaimName = volume.Name
	switch {
	case claim == nil:
		setVolumeState(volume, cdiv1.Pending, corev1.ConditionUnknown, "", "No PVC found")
	case !metav1.IsControlledBy(claim, volume) && claim.Annotations[populatedForAnnotation] != volume.Name:
		message := "Resource " + volume.Name + " already exists and is not managed by DataVolume"
		setVolumeState(volume, cdiv1.Pending, corev1.ConditionFalse, "ErrResourceExists", message)
	case claim.Status.Phase != corev1.ClaimBound:
		return 0, i.pending(ctx, volume, claim)
	case behaviour.End == ImportSucceeds && i.downloads.real(volume):
		return i.fetch(volume, claim), nil
	default:
		return i.fill(ctx, volume, claim, behaviour)
	}
	return 0, nil
}

// pending reports that a claim is not bound.
func (i *importer) pending(ctx context.Context, volume *cdiv1.DataVolume, claim *corev1.PersistentVolumeClaim) error {
	phase := cdiv1.Pending
	class, err := classOf(ctx, i.client, claim)
	if err != nil {
		return err
	}
	if class != nil && waitsForUser(class, claim) {
		phase = cdiv1.WaitForFirstConsumer
	}
	setVolumeState(volume, phase, corev1.ConditionFalse, "Pending", "PVC "+claim.Name+" Pending")
	return nil
}

func (i *importer) behaviour(ctx context.Context, volume *cdiv1.DataVolume) (Import, error) {
	vm, err := ownerOf(ctx, i.client, volume)
	if err != nil || vm == nil {
		vm = &kubevirtv1.VirtualMachine{}
	}
	return i.script.imported(volume.Annotations, vm.Annotations)
}

// fill reports the step of the work that is reached, and returns how long it is until the next one.
func (i *importer) fill(
	ctx context.Context, volume *cdiv1.DataVolume, claim *corev1.PersistentVolumeClaim, behaviour Import,
) (time.Duration, error) {
	if volume.Spec.Source != nil && volume.Spec.Source.Upload != nil {
		setVolumeState(volume, cdiv1.UploadReady, corev1.ConditionTrue, "Bound", "PVC "+volume.Name+" Bound")
		return 0, nil // nobody uploads
	}
	step := behaviour.Duration / time.Duration(behaviour.Steps)
	for done := range behaviour.Steps {
		left := i.schedule.left(volume.UID, fmt.Sprint("step ", done), step)
		stuck := behaviour.End != ImportSucceeds && done >= behaviour.Steps/2
		if left == 0 && !stuck {
			continue
		}
		i.progress(volume, float64(done)*100/float64(behaviour.Steps))
		if !stuck {
			return left, nil
		}
		if behaviour.End == ImportFails {
			i.fail(volume)
		}
		return 0, nil
	}
	if err := i.clone(ctx, volume, claim); err != nil {
		return 0, err
	}
	volume.Status.Progress = "100.0%"
	setVolumeState(volume, cdiv1.Succeeded, corev1.ConditionTrue, "Bound", "PVC "+volume.Name+" Bound")
	return 0, nil
}

// clone copies the disk of another claim, if that is where the DataVolume comes from and it is
// there. What other disks hold follows from their claims when it is looked at.
func (i *importer) clone(ctx context.Context, volume *cdiv1.DataVolume, claim *corev1.PersistentVolumeClaim) error {
	if volume.Spec.Source == nil || volume.Spec.Source.PVC == nil {
		return nil
	}
	source := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: volume.Spec.Source.PVC.Namespace, Name: volume.Spec.Source.PVC.Name}
	if key.Namespace == "" {
		key.Namespace = volume.Namespace
	}
	if err := i.client.Get(ctx, key, source); err != nil {
		return client.IgnoreNotFound(err)
	}
	disk, err := diskOf(i.contents, source)
	if err != nil {
		return err
	}
	draft, err := i.contents.Draft(claim.UID)
	if err != nil {
		return err
	}
	defer draft.Drop()
	if err := disk.CopyTo(draft); err != nil {
		return err
	}
	_, err = draft.Keep()
	return err
}

func (i *importer) progress(volume *cdiv1.DataVolume, percent float64) {
	phase := cdiv1.ImportInProgress
	if source := volume.Spec.Source; source == nil || source.PVC != nil || source.Snapshot != nil {
		phase = cdiv1.CloneInProgress
	}
	volume.Status.Progress = cdiv1.DataVolumeProgress(fmt.Sprintf("%.1f%%", percent))
	setVolumeState(volume, phase, corev1.ConditionTrue, "Bound", "PVC "+volume.Name+" Bound")
}

func (i *importer) fail(volume *cdiv1.DataVolume) {
	message := "Unable to process data: Unable to connect to http data source: expected status code 200, got 404"
	volume.Status.RestartCount++
	setVolumeState(volume, cdiv1.Failed, corev1.ConditionTrue, "Bound", "PVC "+volume.Name+" Bound")
	setVolumeCondition(volume, cdiv1.DataVolumeRunning, corev1.ConditionFalse, "Error", message)
	i.events.Eventf(volume, nil, corev1.EventTypeWarning, "ImportFailed", "Import", "%s", message)
}

// claim returns the claim of a DataVolume's name; it is nil where it was made just now.
func (i *importer) claim(ctx context.Context, volume *cdiv1.DataVolume) (*corev1.PersistentVolumeClaim, error) {
	claim := &corev1.PersistentVolumeClaim{}
	err := i.client.Get(ctx, keyOf(volume), claim)
	if !apierrors.IsNotFound(err) {
		return claim, err
	}
	if err := i.client.Create(ctx, claimFor(volume)); err != nil && !apierrors.IsAlreadyExists(err) {
		return nil, err
	}
	return nil, nil
}

// volumesOfMachine returns the DataVolumes that a VirtualMachine has templates for: its annotations
// are for them too.
func volumesOfMachine(_ context.Context, object client.Object) []reconcile.Request {
	vm, ok := object.(*kubevirtv1.VirtualMachine)
	if !ok {
		return nil
	}
	var requests []reconcile.Request
	for _, template := range vm.Spec.DataVolumeTemplates {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKey{Namespace: vm.Namespace,
			Name: template.Name}})
	}
	return requests
}
