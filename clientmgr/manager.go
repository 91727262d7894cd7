package clientmgr

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// KubevirtClientManager is the ClientManager of a running process: it follows the KubevirtConfigs
// and Secrets of the supervisor cluster, and keeps one connection to each remote cluster. Add it to
// a controller-runtime manager, or call Start. It is safe for concurrent use.
type KubevirtClientManager struct {
	supervisor client.Client
	cache      cache.Cache
	options    Options
	metrics    *metrics
	hub        hub
	unwatched  *unwatched // nil where Options.Secrets is
	ledgers    ledgers

	clusters atomic.Pointer[map[string]*cluster] // copied on write
	synced   atomic.Bool                         // the supervisor's caches have
	started  atomic.Bool
	// clusterScoped says that the supervisor's KubevirtConfigs are.
	clusterScoped atomic.Bool
	running       sync.WaitGroup // goroutines of clusters
	stops         map[string]context.CancelFunc
}

var (
	_ RemoteClusters                 = (*KubevirtClientManager)(nil)
	_ manager.LeaderElectionRunnable = (*KubevirtClientManager)(nil)
)

// NewKubevirtClientManager returns a manager that reads KubevirtConfigs and Secrets from
// supervisorCache, and hands out supervisor as it is. It does no I/O. Limit the cache to what is
// needed with SupervisorCache. It fails where a declared kind is not in the scheme or the metrics
// are registered already.
func NewKubevirtClientManager(
	supervisor client.Client, supervisorCache cache.Cache, options Options,
) (*KubevirtClientManager, error) {
	m := &KubevirtClientManager{
		supervisor: supervisor, cache: supervisorCache, options: options.withDefaults(supervisor),
		stops: map[string]context.CancelFunc{},
	}
	for _, kind := range m.options.Kinds {
		if _, err := apiutil.GVKForObject(kind.Object, m.options.Scheme); err != nil {
			return nil, fmt.Errorf("declared kind: %w", err)
		}
	}
	var err error
	if m.metrics, err = newMetrics(m.options.Registerer, m.views); err != nil {
		return nil, err
	}
	m.clusters.Store(&map[string]*cluster{})
	return m, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable by Options.WarmStandby.
func (m *KubevirtClientManager) NeedLeaderElection() bool { return !m.options.WarmStandby }

// Source implements EventSource.
func (m *KubevirtClientManager) Source(handler EventHandler) source.Source {
	return m.hub.source(handler)
}

// Start follows the supervisor until ctx ends, and returns when every goroutine of its own has
// ended. An unreachable supervisor or a missing definition is waited for. It can be called once.
func (m *KubevirtClientManager) Start(ctx context.Context) error {
	if m.started.Swap(true) {
		return fmt.Errorf("client manager was started before")
	}
	defer m.metrics.close()
	err := m.follow(ctx)
	for name := range m.stops {
		m.stop(name)
	}
	m.running.Wait()
	return err
}

// put hands a cluster what the supervisor says about it, and makes it where it is new. Called by
// follow alone.
func (m *KubevirtClientManager) put(ctx context.Context, config string, w wish) {
	if c, found := (*m.clusters.Load())[config]; found {
		c.mail.put(w)
		return
	}
	c := newCluster(config, w, m.options)
	c.hub, c.metrics, c.told = &m.hub, m.metrics, m.changed
	clusters := maps.Clone(*m.clusters.Load())
	clusters[config] = c
	m.clusters.Store(&clusters)
	ctx, m.stops[config] = context.WithCancel(ctx)
	m.running.Go(func() {
		c.run(ctx)
		c.lingering.Wait()
		if _, again := (*m.clusters.Load())[config]; !again {
			m.metrics.remove(config)
		}
	})
	m.hub.stateChanged(config)
}

// stop ends and forgets a cluster. Clients of it that somebody holds fail from now on. Called by
// follow, and by Start after it.
func (m *KubevirtClientManager) stop(config string) {
	end, found := m.stops[config]
	if !found {
		return
	}
	delete(m.stops, config)
	clusters := maps.Clone(*m.clusters.Load())
	clusters[config].gone.Store(true) // for clients that somebody holds
	delete(clusters, config)
	m.clusters.Store(&clusters)
	end()
	m.hub.stateChanged(config)
}

// changed is told of each change of a State.
func (m *KubevirtClientManager) changed(former, now State) {
	if former.Phase != now.Phase || former.Reason != now.Reason {
		m.options.Logger.Info("Cluster changed", "kubevirtConfig", now.Config, "phase", now.Phase, "reason", now.Reason,
			"message", now.Message)
	}
	m.hub.stateChanged(now.Config)
	before, after := former.knownUID(), now.knownUID()
	if before == after {
		return
	}
	for config, c := range *m.clusters.Load() {
		uid := c.view.Load().state.knownUID()
		if config != now.Config && uid != "" && (uid == after || uid == before) {
			m.hub.stateChanged(config)
		}
	}
}

// views returns what look-ups see of each cluster, for the metrics.
func (m *KubevirtClientManager) views() map[string]*view {
	views := map[string]*view{}
	for config, c := range *m.clusters.Load() {
		views[config] = c.view.Load()
	}
	return views
}

// States implements StateReporter.
func (m *KubevirtClientManager) States() []State {
	clusters := *m.clusters.Load()
	states := make([]State, 0, len(clusters))
	for _, name := range sortedKeys(clusters) {
		states = append(states, m.stateOf(clusters, name))
	}
	return states
}

// State implements StateReporter.
func (m *KubevirtClientManager) State(kubevirtConfigName string) (State, bool) {
	clusters := *m.clusters.Load()
	if _, found := clusters[kubevirtConfigName]; !found {
		return State{}, false
	}
	return m.stateOf(clusters, kubevirtConfigName), true
}

func (m *KubevirtClientManager) stateOf(clusters map[string]*cluster, name string) State {
	state := clusters[name].view.Load().state.clone()
	if state.knownUID() == "" {
		return state
	}
	shared := map[string]struct{}{}
	for other, c := range clusters {
		if other != name && c.view.Load().state.knownUID() == state.knownUID() {
			shared[other] = struct{}{}
		}
	}
	if len(shared) > 0 {
		state.SharedWith = sortedKeys(shared)
	}
	return state
}
