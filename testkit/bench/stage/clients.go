package stage

import (
	"context"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	watchtools "k8s.io/client-go/tools/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// Clients go to the clusters of a fleet, without a limit of their own.
type Clients struct {
	// Admin looks on; Supervisor and Remotes have the operator's identity and come through the
	// proxies, as the operator does.
	Admin, Supervisor client.WithWatch
	// Lookers are the administrator's for the remotes, in their order; Remotes by name are the
	// operator's.
	Lookers []client.WithWatch
	Remotes map[string]client.WithWatch
}

func newClients(ctx context.Context, f *fleet.Fleet) (c Clients, err error) {
	if c.Admin, err = newClient(f.Supervisor.ControlPlane.Config()); err != nil {
		return c, err
	}
	kubeconfig, err := os.ReadFile(f.OperatorKubeconfig())
	if err != nil {
		return c, err
	}
	if c.Supervisor, err = fromKubeconfig(kubeconfig); err != nil {
		return c, err
	}
	c.Remotes = map[string]client.WithWatch{}
	for _, remote := range f.Remotes {
		looker, err := newClient(remote.ControlPlane.Config())
		if err != nil {
			return c, err
		}
		c.Lookers = append(c.Lookers, looker)
		secret := &corev1.Secret{}
		key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(remote.Name)}
		if err := c.Admin.Get(ctx, key, secret); err != nil {
			return c, err
		}
		if c.Remotes[remote.Name], err = fromKubeconfig(secret.Data["kubeconfig"]); err != nil {
			return c, err
		}
	}
	return c, nil
}

func fromKubeconfig(content []byte) (client.WithWatch, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(content)
	if err != nil {
		return nil, err
	}
	return newClient(config)
}

func newClient(config *rest.Config) (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config.QPS = -1
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

// WatchIn watches the objects of a namespace that are made from now on. It goes on where the server
// ends a watch, as it does when it learns a definition.
func WatchIn(
	ctx context.Context, c client.WithWatch, list client.ObjectList, namespace string,
) (watch.Interface, error) {
	if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	return watchtools.NewRetryWatcherWithContext(ctx, list.GetResourceVersion(), watcherFunc(
		func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			into := list.DeepCopyObject().(client.ObjectList)
			return c.Watch(ctx, into, client.InNamespace(namespace), &client.ListOptions{Raw: &options})
		}))
}

// watcherFunc is a cache.WatcherWithContext.
type watcherFunc func(context.Context, metav1.ListOptions) (watch.Interface, error)

// WatchWithContext implements cache.WatcherWithContext.
func (f watcherFunc) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return f(ctx, options)
}
