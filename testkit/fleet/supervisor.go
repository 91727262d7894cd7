package fleet

import (
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/manifest"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ConfigsNamespace is the namespace of the supervisor with the KubevirtConfigs and their Secrets.
const ConfigsNamespace = "kubevirt-configs"

// SecretName is the name of the Secret that a remote's KubevirtConfig refers to.
func SecretName(cluster string) string { return cluster + "-kubeconfig" }

// setUpSupervisor installs our API, the configs' namespace and what lets the operator in.
func (c *Cluster) setUpSupervisor(ctx context.Context) error {
	c.options.say(c.Name, "installing the vitistack.io API")
	for name, crd := range crds.YAML() {
		if err := manifest.Apply(ctx, c.client, crd); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ConfigsNamespace}}
	if err := c.client.Create(ctx, namespace); err != nil {
		return err
	}
	if err := manifest.Apply(ctx, c.client, rbac.Supervisor); err != nil {
		return err
	}
	if err := c.newIdentity(ctx); err != nil {
		return err
	}
	return manifest.WaitServed(ctx, c.client)
}

// connect publishes the operator's identities: in the supervisor as a file, in each remote as a
// KubevirtConfig with its Secret.
func (f *Fleet) connect(ctx context.Context) error {
	f.Supervisor.identity.publish = func(_ context.Context, kubeconfig []byte) error {
		return f.folder.write(f.OperatorKubeconfig(), kubeconfig)
	}
	for _, remote := range f.Remotes {
		remote.identity.home = f.Supervisor
		remote.identity.publish = func(ctx context.Context, kubeconfig []byte) error {
			return f.publishSecret(ctx, remote.Name, kubeconfig)
		}
	}
	for _, c := range f.Clusters() {
		if err := c.publish(ctx, c.identity.credential); err != nil {
			return err
		}
	}
	for _, remote := range f.Remotes {
		config := &vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{Name: remote.Name, Namespace: ConfigsNamespace},
			Spec:       vitistackv1alpha1.KubevirtConfigSpec{Name: remote.Name, KubeconfigSecretRef: SecretName(remote.Name)},
		}
		if err := f.Supervisor.client.Create(ctx, config); err != nil {
			return fmt.Errorf("registering %s: %w", remote.Name, err)
		}
	}
	return nil
}

// publishSecret puts a kubeconfig into the Secret of a remote's KubevirtConfig.
func (f *Fleet) publishSecret(ctx context.Context, cluster string, kubeconfig []byte) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: SecretName(cluster), Namespace: ConfigsNamespace}}
	data := map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: kubeconfig}
	err := f.Supervisor.client.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil {
		secret.Data = data
		return f.Supervisor.client.Create(ctx, secret)
	}
	before := client.MergeFrom(secret.DeepCopy())
	secret.Data = data
	return f.Supervisor.client.Patch(ctx, secret, before)
}

// scheme knows the types that a fleet's clients use.
func scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(s); err != nil {
		return nil, err
	}
	return s, vitistackv1alpha1.AddToScheme(s)
}
