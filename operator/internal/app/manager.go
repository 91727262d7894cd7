package app

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
)

// RestConfig is the way to the supervisor: a file, or "" for KUBECONFIG and then the pod's own
// service account.
func RestConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return ctrl.GetConfig()
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	return config, nil
}

// NewManager returns a manager of the supervisor whose cache newCache makes. It asks the supervisor
// for the scope of KubevirtConfigs.
func NewManager(config *rest.Config, options Options, newCache cache.NewCacheFunc) (ctrl.Manager, error) {
	scheme, err := NewScheme()
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // the supervisor has Priority and Fairness
	namespaced, err := configsNamespaced(config)
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		NewCache:                newCache,
		Cache:                   supervisorCache(options, namespaced),
		Client:                  client.Options{Cache: clientCache()},
		Metrics:                 metricsserver.Options{BindAddress: options.MetricsAddress},
		HealthProbeBindAddress:  options.ProbeAddress,
		LeaderElection:          options.LeaderElect,
		LeaderElectionID:        options.LeaderElectionID,
		LeaderElectionNamespace: options.LeaderElectionNamespace,
		LeaderElectionLabels:    LeaseLabels(),
		// Where there are shards it counts more than the names before.
		LeaderElectionResourceLockInterface: options.part.resourceLock(),
		// Nothing is done after the manager has ended, so the lease can be given back at once.
		LeaderElectionReleaseOnCancel: true,
		// The next one looks this often, and a little less, whether it was.
		RetryPeriod: ptr.To(time.Second),
	})
	if err != nil {
		return nil, fmt.Errorf("manager: %w", err)
	}
	return mgr, nil
}

// watched lets a Watcher see what a cache itself asks for, but not what Continuity asks. What
// others list says nothing about the cache's stream of Machines.
func watched(watcher *wake.Watcher, continuity *clientmgr.Continuity) cache.NewCacheFunc {
	return func(config *rest.Config, options cache.Options) (_ cache.Cache, err error) {
		config = rest.CopyConfig(config)
		config.Wrap(continuity.Wrap)
		config.Wrap(watcher.Wrap)
		if options.HTTPClient, err = rest.HTTPClientFor(config); err != nil {
			return nil, err
		}
		return cache.New(config, options)
	}
}

// clientCache reads from the cache, but for what is read seldom.
func clientCache() *client.CacheOptions {
	return &client.CacheOptions{
		DisableFor: []client.Object{&corev1.ConfigMap{}, &corev1.PersistentVolumeClaim{}, &corev1.Namespace{}},
	}
}

// readingItsWrites is a client whose cached reads show its own writes. A pass that began with a
// Machine, a NetworkConfiguration or a KubevirtConfig from before the last pass would do again what
// was done. Its reads never wait: controller-runtime's own option for this lets every read of a
// kind wait for a single event that may never come.
func readingItsWrites(mgr ctrl.Manager) (client.Client, error) {
	return clusters.NewReadYourWrites(mgr.GetClient(), mgr.GetCache(), mgr.GetScheme(),
		&vitistackv1alpha1.Machine{}, &vitistackv1alpha1.NetworkConfiguration{}, &vitistackv1alpha1.KubevirtConfig{})
}

// supervisorCache limits what is held of the supervisor to our own kinds, the Machines selected,
// and the kubeconfigs.
func supervisorCache(options Options, configsNamespaced bool) cache.Options {
	byObject := clientmgr.SupervisorCache(configsNamespaced, options.Machine.ConfigsNamespace)
	byObject[&vitistackv1alpha1.Machine{}] = cache.ByObject{Label: options.WatchSelector}
	return cache.Options{ByObject: byObject, DefaultTransform: cache.TransformStripManagedFields()}
}

// Identity is what tells this supervisor's objects in remote clusters from another's. supervisor
// asks the API server itself.
func Identity(ctx context.Context, supervisor client.Reader, options Options) (string, error) {
	if options.SupervisorID != "" {
		return options.SupervisorID, nil
	}
	system := &corev1.Namespace{}
	if err := supervisor.Get(ctx, client.ObjectKey{Name: "kube-system"}, system); err != nil {
		return "", fmt.Errorf("reading the identity of the supervisor: %w", err)
	}
	return string(system.UID), nil
}
