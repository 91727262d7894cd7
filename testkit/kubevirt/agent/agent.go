package agent

import (
	"context"
	"fmt"
	"time"

	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

const (
	// syncTimeout is for the first sight of a cluster, on a loaded machine.
	syncTimeout = 2 * time.Minute
	// stopGrace is how long Stop lets a reconcile in flight go on.
	stopGrace = 5 * time.Second
	// answerTimeout is for one answer of the API server: a frozen one must not stop the agent for
	// ever.
	answerTimeout = 30 * time.Second
)

// Agent serves one cluster until Stop. Its methods are safe for concurrent use.
type Agent struct {
	gate *gate
	// services are the names of the cluster's Services, servers what runs behind them; nil where
	// nothing is exported.
	services *exports.Names
	servers  *servers
	// downloads are the imports that are under way.
	downloads *downloads
	cancel    context.CancelFunc
	done      chan struct{}
	err       error // why it ended; valid once done is closed
}

// Start starts an agent and waits until it has seen the cluster. The cluster must serve all kinds
// already. Only Stop ends it: ctx is for the start.
func Start(ctx context.Context, options Options) (*Agent, error) {
	options.complete()
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a := &Agent{gate: newGate(), services: exports.NewNames(), cancel: cancel, done: make(chan struct{})}
	manager, err := newManager(options)
	if err != nil {
		cancel()
		return nil, err
	}
	if err := a.setUp(running, manager, options); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(a.done)
		a.err = manager.Start(running)
	}()
	if err := a.waitStarted(ctx, manager, watched(options.Light)); err != nil {
		a.Stop()
		return nil, err
	}
	return a, nil
}

// waitStarted waits until the caches of kinds have seen the cluster and the manager has seen that
// they have. The manager looks every 100 ms. If it were stopped in between and its cluster were
// gone, it would never end, and it would keep a processor busy.
func (a *Agent) waitStarted(ctx context.Context, manager ctrl.Manager, kinds []client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	for _, kind := range kinds {
		if _, err := manager.GetCache().GetInformer(ctx, kind); err != nil {
			return fmt.Errorf("watching %T: %w", kind, err)
		}
	}
	select {
	case <-manager.Elected(): // there is no election: it is closed once all caches are started
		return nil
	case <-a.done:
		return fmt.Errorf("starting the agent: %w", a.err)
	case <-ctx.Done():
		return fmt.Errorf("starting the agent: %w", ctx.Err())
	}
}

// Stop ends the agent and waits until nothing of it runs. It can be called twice. A manager whose
// cluster went away while its caches were filling does not end: after twice the grace it is left
// behind, frozen for good.
func (a *Agent) Stop() {
	a.cancel()
	select {
	case <-a.done:
	case <-time.After(2 * stopGrace):
		a.gate.close()
	}
	if a.downloads != nil {
		a.downloads.stopAll()
	}
	if a.servers != nil {
		_ = a.servers.stopAll() // of processes that ended before
	}
}

// Freeze lets the agent do nothing more, as a hung machine would; Thaw lets it go on.
func (a *Agent) Freeze() {
	a.gate.close()
	if a.servers != nil {
		a.servers.each((*exports.Server).Freeze)
	}
}

// Thaw lets a frozen agent go on.
func (a *Agent) Thaw() {
	if a.servers != nil {
		a.servers.each((*exports.Server).Thaw)
	}
	a.gate.open()
}

func newManager(options Options) (ctrl.Manager, error) {
	kinds, err := scheme()
	if err != nil {
		return nil, err
	}
	connection := *options.Config
	connection.Timeout = 0 // watches last
	return ctrl.NewManager(&connection, ctrl.Options{
		Scheme:                  kinds,
		MapperProvider:          mapper,
		Logger:                  options.Log,
		Metrics:                 server.Options{BindAddress: "0"},
		GracefulShutdownTimeout: ptr.To(stopGrace),
		Controller: config.Controller{
			SkipNameValidation:      ptr.To(true), // there is an agent for each cluster of a process
			MaxConcurrentReconciles: workers,
			UsePriorityQueue:        ptr.To(false), // it logs to the process's global logger
		},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Cache: cache.Options{
			DefaultTransform:         strip,
			DefaultWatchErrorHandler: logWatchError(options.Log),
		},
	})
}
