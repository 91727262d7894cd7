package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
)

// dataVolumeTemplate is a disk's DataVolume. It has storage rather than pvc, so that what the options leave open comes from the
// StorageProfile of the storage class: access modes that fit one class are wrong for another.
func dataVolumeTemplate(d disk, name string, source *cdiv1beta1.DataVolumeSource, labels map[string]string, options Options) kubevirtv1.DataVolumeTemplateSpec {
	storage := &cdiv1beta1.StorageSpec{
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: d.size()}},
	}
	if options.StorageClassName != "" {
		storage.StorageClassName = ptr.To(options.StorageClassName)
	}
	if options.VolumeMode != "" {
		storage.VolumeMode = ptr.To(options.VolumeMode)
	}
	if options.AccessMode != "" {
		storage.AccessModes = []corev1.PersistentVolumeAccessMode{options.AccessMode}
	}
	if source == nil || !d.boot {
		source = &cdiv1beta1.DataVolumeSource{Blank: &cdiv1beta1.DataVolumeBlankImage{}}
	}
	return kubevirtv1.DataVolumeTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       cdiv1beta1.DataVolumeSpec{Source: source.DeepCopy(), Storage: storage},
	}
}
