package agent

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// immediateAnnotation on a DataVolume, or on its claim, asks CDI to fill a claim whose class waits
// for somebody to use it.
const immediateAnnotation = "cdi.kubevirt.io/storage.bind.immediate.requested"

// classOf returns the storage class of a claim, or nil where it is not one that the agent
// provisions.
func classOf(
	ctx context.Context, c client.Reader, claim *corev1.PersistentVolumeClaim,
) (*storagev1.StorageClass, error) {
	if claim.Spec.StorageClassName == nil || *claim.Spec.StorageClassName == "" {
		return nil, nil
	}
	class := &storagev1.StorageClass{}
	err := c.Get(ctx, client.ObjectKey{Name: *claim.Spec.StorageClassName}, class)
	if err != nil || class.Provisioner != Provisioner {
		return nil, client.IgnoreNotFound(err)
	}
	return class, nil
}

// waitsForUser says whether a claim of a class is bound when somebody uses it, and not before.
func waitsForUser(class *storagev1.StorageClass, claim *corev1.PersistentVolumeClaim) bool {
	_, immediate := claim.Annotations[immediateAnnotation]
	mode := class.VolumeBindingMode
	return !immediate && mode != nil && *mode == storagev1.VolumeBindingWaitForFirstConsumer
}
