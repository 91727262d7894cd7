package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// labelValue makes a name fit into a label.
func labelValue(name string) string { return desired.LabelValue(name) }

// register writes the Secret and then the KubevirtConfig, which the operator would otherwise find
// without its Secret. Where the KubevirtConfig is refused, a Secret that is new goes again.
func (f *findings) register(ctx context.Context, kubeconfig []byte) error {
	if f.secretState() != asItIs {
		if err := f.writeSecret(ctx, kubeconfig); err != nil {
			return fmt.Errorf("writing the Secret %s in the supervisor: %w", f.secretKey, err)
		}
	}
	err := f.writeConfig(ctx)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("writing KubevirtConfig %s in the supervisor: %w", f.name, err)
	if f.secret == nil {
		fresh := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: f.secretKey.Namespace, Name: f.secretKey.Name}}
		if failed := f.supervisor.Delete(context.WithoutCancel(ctx), fresh); client.IgnoreNotFound(failed) != nil {
			err = fmt.Errorf("%w; the Secret %s stays: %w", err, f.secretKey, failed)
		}
	}
	return err
}

func (f *findings) writeSecret(ctx context.Context, kubeconfig []byte) error {
	if f.secret == nil {
		return f.supervisor.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: f.secretKey.Namespace, Name: f.secretKey.Name, Labels: map[string]string{labelManagedBy: managedBy},
			},
			Data: map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: kubeconfig},
		})
	}
	return replace(ctx, f.supervisor, f.secret, kubeconfig)
}

// replace puts another kubeconfig into a Secret that nobody has changed meanwhile.
func replace(ctx context.Context, supervisor client.Client, secret *corev1.Secret, kubeconfig []byte) error {
	before := secret.DeepCopy()
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	secret.Data[vitistackv1alpha1.KubeconfigSecretKey] = kubeconfig
	return supervisor.Patch(ctx, secret, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// writeConfig also writes down which cluster was added, so that no other is ever taken for it, not
// even at the operator's first contact.
func (f *findings) writeConfig(ctx context.Context) error {
	if f.config == nil {
		key := f.supervisor.Key(f.name)
		config := &vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: key.Namespace, Name: key.Name,
				Annotations: map[string]string{vitistackv1alpha1.AnnotationClusterUID: f.identity},
			},
			Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: f.name, KubeconfigSecretRef: f.secretKey.Name},
		}
		if !f.supervisor.Namespaced {
			config.Spec.SecretNamespace = f.secretKey.Namespace
		}
		return f.supervisor.Create(ctx, config)
	}
	if identityOf(f.config) != "" {
		return nil
	}
	before := f.config.DeepCopy()
	metav1.SetMetaDataAnnotation(&f.config.ObjectMeta, vitistackv1alpha1.AnnotationClusterUID, f.identity)
	return f.supervisor.Patch(ctx, f.config, client.MergeFrom(before))
}
