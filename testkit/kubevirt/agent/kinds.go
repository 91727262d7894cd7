package agent

import (
	"net/http"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var (
	secretKind     = corev1.SchemeGroupVersion.WithKind("Secret")
	configMapKind  = corev1.SchemeGroupVersion.WithKind("ConfigMap")
	attachmentKind = schema.GroupVersionKind{Group: "k8s.cni.cncf.io", Version: "v1", Kind: "NetworkAttachmentDefinition"}
	claimKind      = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	exportKind     = exportv1.SchemeGroupVersion.WithKind("VirtualMachineExport")
)

func scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, storagev1.AddToScheme, kubevirtv1.AddToScheme, cdiv1.AddToScheme, exportv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	return s, nil
}

// mapper knows the agent's kinds without asking: discovery is slow while virt-api is down.
func mapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	m := meta.NewDefaultRESTMapper(nil)
	version := attachmentKind.GroupVersion()
	m.AddSpecific(attachmentKind, version.WithResource("network-attachment-definitions"),
		version.WithResource("network-attachment-definition"), meta.RESTScopeNamespace)
	for _, kind := range []schema.GroupVersionKind{
		secretKind, configMapKind, claimKind,
		corev1.SchemeGroupVersion.WithKind("Pod"),
		corev1.SchemeGroupVersion.WithKind("Event"),
		kubevirtv1.VirtualMachineGroupVersionKind,
		kubevirtv1.VirtualMachineInstanceGroupVersionKind,
		cdiv1.SchemeGroupVersion.WithKind("DataVolume"),
		exportKind,
	} {
		m.Add(kind, meta.RESTScopeNamespace)
	}
	for _, kind := range []string{"Node", "PersistentVolume"} {
		m.Add(corev1.SchemeGroupVersion.WithKind(kind), meta.RESTScopeRoot)
	}
	m.Add(storagev1.SchemeGroupVersion.WithKind("StorageClass"), meta.RESTScopeRoot)
	return m, nil
}

// objectOf is an empty object of a kind that instances name.
func objectOf(kind schema.GroupVersionKind) client.Object {
	switch kind {
	case secretKind:
		return &corev1.Secret{}
	case configMapKind:
		return &corev1.ConfigMap{}
	case claimKind:
		return &corev1.PersistentVolumeClaim{}
	default:
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(kind)
		return object
	}
}

// strip keeps no more of an object than the agent looks at. Of what instances name that is, but for
// claims, that it is there: no content of a Secret stays in memory.
func strip(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Secret:
		return &corev1.Secret{TypeMeta: o.TypeMeta, ObjectMeta: identityOf(o)}, nil
	case *corev1.ConfigMap:
		return &corev1.ConfigMap{TypeMeta: o.TypeMeta, ObjectMeta: identityOf(o)}, nil
	default:
		return cache.TransformStripManagedFields()(object)
	}
}

func identityOf(object client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: object.GetNamespace(), Name: object.GetName(), UID: object.GetUID(),
		ResourceVersion: object.GetResourceVersion(),
	}
}

// watched are the kinds that the agent has seen once it is ready.
func watched(light bool) []client.Object {
	kinds := []client.Object{
		&kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}, &cdiv1.DataVolume{},
		&corev1.PersistentVolumeClaim{}, &corev1.PersistentVolume{}, &storagev1.StorageClass{},
		objectOf(secretKind), objectOf(configMapKind), objectOf(attachmentKind),
	}
	if light {
		return kinds
	}
	return append(kinds, &corev1.Pod{})
}
