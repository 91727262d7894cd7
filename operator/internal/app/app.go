package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/host/replay"
)

// Command is the operator's command line.
func Command() *cobra.Command {
	var options Options
	cmd := &cobra.Command{
		Use:           "operator",
		Short:         "Turn the Machines of this cluster into KubeVirt VirtualMachines in remote clusters",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(options.readEnvironment(os.Getenv), options.complete()); err != nil {
				return err
			}
			return Run(cmd.Context(), options)
		},
	}
	options.addFlags(cmd.Flags())
	cmd.AddCommand(orphansCommand(), releaseCommand(), explainCommand(), answering(replay.Command()))
	return cmd
}

// Run runs the operator until ctx ends.
func Run(ctx context.Context, options Options) error {
	logger := options.Log.logger()
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	config, err := restConfig(options.Kubeconfig)
	if err != nil {
		return err
	}
	watcher, continuity := machine.NewWatcher(clock.RealClock{}), clientmgr.NewContinuity()
	mgr, err := newManager(config, options, watched(watcher, continuity))
	if err != nil {
		return err
	}
	supervisorUID, err := identity(ctx, mgr, options)
	if err != nil {
		return err
	}
	options.Machine.Desired.SupervisorUID = supervisorUID
	if err := errors.Join(mgr.Add(continuity), addAll(mgr, options, watcher)); err != nil {
		return err
	}
	logger.Info("Starting", "supervisor", supervisorUID, "configsNamespace", options.Machine.ConfigsNamespace)
	return mgr.Start(ctx)
}

// addAll is the list of what runs.
func addAll(mgr ctrl.Manager, options Options, watcher *machine.Watcher) error {
	remotes, err := clientmgr.NewKubevirtClientManager(mgr.GetClient(), mgr.GetCache(), remoteOptions(options, options.Machine.Desired.SupervisorUID, mgr.GetAPIReader()))
	if err != nil {
		return fmt.Errorf("client manager: %w", err)
	}
	host, err := placementhost.New(options.plugins(), mgr.GetLogger().WithName("placement"))
	if err != nil {
		return fmt.Errorf("placement plugins: %w", err)
	}
	checks := startup.New(mgr.GetAPIReader(), remotes, startup.Options{Elected: elected(mgr, options)})
	err = errors.Join(mgr.Add(remotes), mgr.Add(host), checks.SetupWithManager(mgr, remotes), ctrlmetrics.Registry.Register(host.Collector()))
	if err != nil {
		return err
	}
	reconciler := machine.NewMachineReconciler(mgr.GetClient(), mgr.GetScheme(), remotes,
		machine.WithPlacement(host),
		machine.WithSettings(options.Machine),
		machine.WithLiveReader(mgr.GetAPIReader()),
		machine.WithEvents(mgr.GetEventRecorder("kubevirt-operator")),
		machine.WithFreshness(watcher),
	)
	err = reconciler.SetupWithManager(mgr, machine.ControllerOptions{MaxConcurrentReconciles: options.MaxConcurrentReconciles, Watcher: watcher})
	if err != nil {
		return fmt.Errorf("machine controller: %w", err)
	}
	return errors.Join(addConfigStatus(mgr, options, remotes), mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("caches", synced(mgr)))
}

// elected is closed once this process connects to remote clusters; nil where it does so from the start.
func elected(mgr ctrl.Manager, options Options) <-chan struct{} {
	if options.WarmStandby {
		return nil
	}
	return mgr.Elected()
}

// synced is ready once the supervisor's caches are filled. Remote clusters have no part in it.
func synced(mgr ctrl.Manager) healthz.Checker {
	return func(request *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(request.Context()) {
			return errors.New("the supervisor's caches are not filled yet")
		}
		return nil
	}
}

func restConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return ctrl.GetConfig()
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("--kubeconfig: %w", err)
	}
	return config, nil
}

func newManager(config *rest.Config, options Options, newCache cache.NewCacheFunc) (ctrl.Manager, error) {
	scheme, err := newScheme()
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

// watched lets a Watcher see what a cache itself asks for, but not what Continuity asks. What others list says nothing about the cache's
// stream of Machines.
func watched(watcher *machine.Watcher, continuity *clientmgr.Continuity) cache.NewCacheFunc {
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

// clientCache lets reads see what was written before, so that no pass begins with a Machine from before the last one. What is read but
// seldom is not cached.
func clientCache() *client.CacheOptions {
	return &client.CacheOptions{
		EnableReadYourWritesConsistency: ptr.To(true),
		DisableFor:                      []client.Object{&corev1.ConfigMap{}, &corev1.PersistentVolumeClaim{}, &corev1.Namespace{}},
	}
}

// supervisorCache limits what is held of the supervisor to our own kinds, the Machines selected, and the kubeconfigs.
func supervisorCache(options Options, configsNamespaced bool) cache.Options {
	byObject := clientmgr.SupervisorCache(configsNamespaced, options.Machine.ConfigsNamespace)
	byObject[&vitistackv1alpha1.Machine{}] = cache.ByObject{Label: options.WatchSelector}
	return cache.Options{ByObject: byObject, DefaultTransform: cache.TransformStripManagedFields()}
}

// identity is what tells this supervisor's objects in remote clusters from another's.
func identity(ctx context.Context, mgr ctrl.Manager, options Options) (string, error) {
	if options.SupervisorID != "" {
		return options.SupervisorID, nil
	}
	system := &corev1.Namespace{}
	if err := mgr.GetAPIReader().Get(ctx, client.ObjectKey{Name: "kube-system"}, system); err != nil {
		return "", fmt.Errorf("reading the identity of the supervisor: %w", err)
	}
	return string(system.UID), nil
}
