package agent

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

// populatedForAnnotation on a claim lets a DataVolume of that name take it as it is.
const populatedForAnnotation = "cdi.kubevirt.io/storage.populatedFor"

// claimFor is the claim that CDI makes for a DataVolume.
func claimFor(volume *cdiv1.DataVolume) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Name:      volume.Name,
			Namespace: volume.Namespace,
			Labels: map[string]string{
				"app":                          "containerized-data-importer",
				"app.kubernetes.io/component":  "storage",
				"app.kubernetes.io/managed-by": "cdi-controller",
				"alerts.k8s.io/KubePersistentVolumeFillingUp": "disabled",
			},
			Annotations: map[string]string{
				"cdi.kubevirt.io/storage.contentType": string(contentType(volume)),
			},
			OwnerReferences: []metav1.OwnerReference{
				*metav1.NewControllerRef(volume, cdiv1.SchemeGroupVersion.WithKind("DataVolume")),
			},
		},
		Spec: claimSpec(volume),
	}
	maps.Copy(claim.Labels, volume.Labels)
	maps.Copy(claim.Annotations, volume.Annotations)
	annotateSource(claim, volume.Spec.Source)
	return claim
}

// annotateSource says what a claim is filled from, as CDI does.
func annotateSource(claim *corev1.PersistentVolumeClaim, source *cdiv1.DataVolumeSource) {
	kind, endpoint := "", ""
	switch {
	case source == nil:
	case source.Blank != nil:
		kind = contents.Blank
	case source.HTTP != nil:
		kind, endpoint = "http", source.HTTP.URL
	case source.S3 != nil:
		kind, endpoint = "s3", source.S3.URL
	case source.GCS != nil:
		kind, endpoint = "gcs", source.GCS.URL
	case source.Registry != nil && source.Registry.URL != nil:
		kind, endpoint = "registry", *source.Registry.URL
	}
	if kind != "" {
		claim.Annotations[contents.SourceAnnotation] = kind
	}
	if endpoint != "" {
		claim.Annotations[contents.EndpointAnnotation] = endpoint
	}
}

func contentType(volume *cdiv1.DataVolume) cdiv1.DataVolumeContentType {
	if volume.Spec.ContentType == "" {
		return cdiv1.DataVolumeKubeVirt
	}
	return volume.Spec.ContentType
}

// claimSpec takes what a DataVolume says, and the rest from the first of the StorageProfile's
// property sets.
func claimSpec(volume *cdiv1.DataVolume) corev1.PersistentVolumeClaimSpec {
	if volume.Spec.PVC != nil {
		return *volume.Spec.PVC.DeepCopy()
	}
	storage := volume.Spec.Storage
	if storage == nil {
		storage = &cdiv1.StorageSpec{}
	}
	spec := corev1.PersistentVolumeClaimSpec{
		AccessModes:      storage.AccessModes,
		Selector:         storage.Selector,
		Resources:        *storage.Resources.DeepCopy(),
		VolumeName:       storage.VolumeName,
		StorageClassName: storage.StorageClassName,
		VolumeMode:       storage.VolumeMode,
		DataSource:       storage.DataSource,
		DataSourceRef:    storage.DataSourceRef,
	}
	profile := ClaimProperties()[0]
	if len(spec.AccessModes) == 0 {
		spec.AccessModes = profile.AccessModes
	}
	if spec.VolumeMode == nil {
		spec.VolumeMode = profile.VolumeMode
	}
	if spec.StorageClassName == nil {
		spec.StorageClassName = ptr.To(StorageClass)
	}
	return spec
}

// ClaimProperties are what the StorageProfile of the default class offers, the best first.
func ClaimProperties() []cdiv1.ClaimPropertySet {
	return []cdiv1.ClaimPropertySet{
		{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			VolumeMode: ptr.To(corev1.PersistentVolumeBlock)},
		{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			VolumeMode: ptr.To(corev1.PersistentVolumeFilesystem)},
	}
}

// setVolumeState sets the phase and the three conditions that CDI keeps: Bound as given, Running
// and Ready as the phase has them.
func setVolumeState(
	volume *cdiv1.DataVolume, phase cdiv1.DataVolumePhase, bound corev1.ConditionStatus, reason, message string,
) {
	running := cdiv1.DataVolumeCondition{Status: corev1.ConditionFalse}
	switch phase {
	case cdiv1.Succeeded:
		running.Reason = "Completed"
	case cdiv1.ImportInProgress, cdiv1.CloneInProgress, cdiv1.UploadReady:
		running.Status, running.Reason = corev1.ConditionTrue, "Pod is running"
	}
	setVolume(volume, phase, cdiv1.DataVolumeCondition{Status: bound, Reason: reason, Message: message}, running)
}

// setVolume sets the phase and the three conditions, of which Ready follows from the phase.
func setVolume(volume *cdiv1.DataVolume, phase cdiv1.DataVolumePhase, bound, running cdiv1.DataVolumeCondition) {
	volume.Status.Phase = phase
	if volume.Status.Progress == "" {
		volume.Status.Progress = "N/A"
	}
	ready := corev1.ConditionFalse
	if phase == cdiv1.Succeeded {
		ready = corev1.ConditionTrue
	}
	setVolumeCondition(volume, cdiv1.DataVolumeBound, bound.Status, bound.Reason, bound.Message)
	setVolumeCondition(volume, cdiv1.DataVolumeReady, ready, "", "")
	setVolumeCondition(volume, cdiv1.DataVolumeRunning, running.Status, running.Reason, running.Message)
}

func setVolumeCondition(
	volume *cdiv1.DataVolume, kind cdiv1.DataVolumeConditionType, status corev1.ConditionStatus, reason, message string,
) {
	now := metav1.Now()
	next := cdiv1.DataVolumeCondition{
		Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: now, LastHeartbeatTime: now,
	}
	for i, old := range volume.Status.Conditions {
		if old.Type != kind {
			continue
		}
		if old.Status != status || old.Reason != reason || old.Message != message {
			volume.Status.Conditions[i] = next
		}
		return
	}
	volume.Status.Conditions = append(volume.Status.Conditions, next)
}
