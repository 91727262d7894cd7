package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// dataVolumeTemplate is a disk's DataVolume. It has storage rather than pvc, so that what the
// options leave open comes from the StorageProfile of the storage class: access modes that fit one
// class are wrong for another.
func dataVolumeTemplate(
	d disk, name, namespace string, labels map[string]string, options Options,
) kubevirtv1.DataVolumeTemplateSpec {
	storage := &cdiv1beta1.StorageSpec{
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: d.size()}},
	}
	if class := or(d.class, options.StorageClassName); class != "" {
		storage.StorageClassName = ptr.To(class)
	}
	if options.VolumeMode != "" {
		storage.VolumeMode = ptr.To(options.VolumeMode)
	}
	if options.AccessMode != "" {
		storage.AccessModes = []corev1.PersistentVolumeAccessMode{options.AccessMode}
	}
	spec := cdiv1beta1.DataVolumeSpec{Storage: storage}
	switch {
	case d.image == nil:
		spec.Source = &cdiv1beta1.DataVolumeSource{Blank: &cdiv1beta1.DataVolumeBlankImage{}}
	case d.image.ref != nil:
		spec.SourceRef = d.image.ref
	default:
		spec.Source = d.image.source
		if claim := spec.Source.PVC; claim != nil {
			claim.Namespace = or(claim.Namespace, namespace)
		}
	}
	return kubevirtv1.DataVolumeTemplateSpec{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Spec: spec}
}

// ISOName is the name of the DataVolume that holds the image to install from.
func ISOName(ledger vitistackv1alpha1.Ledger, machineUID types.UID) string {
	return DataVolumeName(ledger.VMName, isoDiskName, machineUID)
}

// ClaimName is the name of the PersistentVolumeClaim behind a disk of a VirtualMachine, "" where
// there is none.
func ClaimName(vm *kubevirtv1.VirtualMachine, disk string) string {
	if vm.Spec.Template == nil {
		return ""
	}
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		switch {
		case volume.Name != disk:
		case volume.DataVolume != nil:
			return volume.DataVolume.Name
		case volume.PersistentVolumeClaim != nil:
			return volume.PersistentVolumeClaim.ClaimName
		}
	}
	return ""
}
