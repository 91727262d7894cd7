package standin

import (
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Options say what every stand-in shows. The zero value works.
type Options struct {
	// KubeVirt says which version is there. Default: there is no such object.
	KubeVirt *kubevirtv1.KubeVirt
	// Definitions are custom resource definitions in JSON. Stand-ins share them. Default: none is to be
	// seen, and the kinds are served nevertheless.
	Definitions [][]byte
	// Created is told of each object that a client has created, by the plural name of its kind, in the
	// goroutine that answers. Default: nobody is.
	Created func(cluster, plural, namespace, name string)
}

// setUp keeps what a cluster has from the beginning.
func (c *Cluster) setUp(kubeVirt *kubevirtv1.KubeVirt, prepared []*stored) error {
	seeds := []seed{
		{namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem}}},
		{namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceDefault}}},
		{storageClasses, &storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{Name: "local-default",
				Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"}},
			Provisioner: "stand-in.testkit",
		}},
	}
	if kubeVirt != nil {
		seeds = append(seeds,
			seed{namespaces, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: kubeVirt.Namespace}}},
			seed{kubeVirts, kubeVirt})
	}
	for _, seed := range seeds {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(seed.object)
		if err != nil {
			return err
		}
		kept, err := c.create(seed.of, &unstructured.Unstructured{Object: content}, false)
		if err != nil {
			return err
		}
		if kept.key.name == metav1.NamespaceSystem {
			c.uid = kept.uid
		}
	}
	for _, definition := range prepared { // they are large: all clusters share the same bytes
		c.locked.collections[definitions].objects[definition.key] = definition
	}
	return nil
}

// seed is an object of a kind.
type seed struct {
	of     resource
	object runtime.Object
}

// prepare gives definitions what an API server gives them.
func prepare(all [][]byte) ([]*stored, error) {
	var prepared []*stored
	for _, body := range all {
		object, err := decode(body)
		if err != nil {
			return nil, err
		}
		object.SetUID(uuid.NewUUID())
		object.SetResourceVersion("1")
		object.SetGeneration(1)
		object.SetCreationTimestamp(metav1.Now())
		object.Object["status"] = map[string]any{"conditions": []any{condition("Established", "True")}}
		kept, err := store(object)
		if err != nil {
			return nil, err
		}
		prepared = append(prepared, kept)
	}
	return prepared, nil
}
