package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
)

// Command runs the operator. Package cli has its sub-commands.
func Command() *cobra.Command {
	var options Options
	cmd := &cobra.Command{
		Use:           "operator",
		Short:         "Turn the Machines of this cluster into KubeVirt VirtualMachines in remote clusters",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(options.readEnvironment(os.LookupEnv), options.complete()); err != nil {
				return err
			}
			return Run(cmd.Context(), options)
		},
	}
	options.addFlags(cmd.Flags())
	return cmd
}

// Run runs the operator until ctx ends.
func Run(ctx context.Context, options Options) error {
	logger := options.Log.logger(os.Stderr)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	config, err := RestConfig(options.Kubeconfig)
	if err != nil {
		return err
	}
	if options.part, err = partOf(ctx, rest.CopyConfig(config), options); err != nil {
		return err
	}
	watcher, continuity := wake.NewWatcher(clock.RealClock{}, logger.WithName("wake")), clientmgr.NewContinuity()
	mgr, err := NewManager(config, options, watched(watcher, continuity))
	if err != nil {
		return err
	}
	supervisorUID, err := Identity(ctx, mgr.GetAPIReader(), options)
	if err != nil {
		return err
	}
	options.Machine.Desired.SupervisorUID = supervisorUID
	if err := errors.Join(mgr.Add(continuity), options.part.tell(mgr), addAll(mgr, options, watcher)); err != nil {
		return err
	}
	logger.Info("Starting", "supervisor", supervisorUID, "configsNamespace", options.Machine.ConfigsNamespace)
	return mgr.Start(ctx)
}

// addAll is the list of what runs.
func addAll(mgr ctrl.Manager, options Options, watcher *wake.Watcher) error {
	supervisor, err := readingItsWrites(mgr)
	if err != nil {
		return fmt.Errorf("client of the supervisor: %w", err)
	}
	remotes, err := clientmgr.NewKubevirtClientManager(mgr.GetClient(), mgr.GetCache(),
		RemoteOptions(options, options.Machine.Desired.SupervisorUID, mgr.GetAPIReader()))
	if err != nil {
		return fmt.Errorf("client manager: %w", err)
	}
	host, err := placementhost.New(options.Plugins(), placementhost.Options{Logger: mgr.GetLogger().WithName("placement")})
	if err != nil {
		return fmt.Errorf("placement plugins: %w", err)
	}
	startUp := startup.New(mgr.GetAPIReader(), startup.Options{})
	err = errors.Join(
		mgr.Add(remotes), mgr.Add(host), startUp.SetupWithManager(mgr), ctrlmetrics.Registry.Register(host.Collector()),
	)
	if err != nil {
		return err
	}
	known := options.part.known(remotes)
	times := metrics.NewMachines(known, watcher.Since)
	census := metrics.NewCensus(mgr.GetCache(), mgr.Elected(), known, options.part.counts)
	bites, held := metrics.NewBites(census), options.part.metric(mgr.Elected(), options)
	err = errors.Join(ctrlmetrics.Registry.Register(times), ctrlmetrics.Registry.Register(census),
		ctrlmetrics.Registry.Register(bites), ctrlmetrics.Registry.Register(held))
	if err != nil {
		return fmt.Errorf("metrics of Machines: %w", err)
	}
	moves, err := addMoveMetrics(mgr, options, known)
	if err != nil {
		return fmt.Errorf("metrics of moves: %w", err)
	}
	reconciler := machine.NewMachineReconciler(supervisor, mgr.GetScheme(), remotes,
		machine.WithPlacement(host),
		machine.WithSettings(options.Machine),
		machine.WithLiveReader(mgr.GetAPIReader()),
		machine.WithEvents(mgr.GetEventRecorder("kubevirt-operator")),
		machine.WithFreshness(watcher),
		machine.WithMetrics(times),
		machine.WithCache(mgr.GetCache()),
		machine.WithBites(bites),
		machine.WithShare(options.part.share),
	)
	err = reconciler.SetupWithManager(mgr, machine.ControllerOptions{
		MaxConcurrentReconciles: options.MaxConcurrentReconciles, Watcher: watcher, Cache: mgr.GetCache(),
	})
	if err != nil {
		return fmt.Errorf("machine controller: %w", err)
	}
	if err := moving(mgr, supervisor, reconciler, moves, options); err != nil {
		return fmt.Errorf("move controller: %w", err)
	}
	return errors.Join(
		configStatus{supervisor: supervisor, remotes: remotes, startUp: startUp, options: options}.add(mgr),
		AddPage(mgr, options, remotes),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("caches", synced(mgr)),
	)
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
