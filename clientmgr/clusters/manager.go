package clusters

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/source"
)

// errStarted: a Manager has one life.
var errStarted = errors.New("the manager of clusters was started before")

// Manager keeps one connection to each cluster that is asked for. Put and Remove say which; a
// source of wishes calls them. Add it to a controller-runtime manager, or call Start. It is safe
// for concurrent use.
type Manager struct {
	options Options
	metrics *metrics
	hub     Hub
	fills   chan struct{} // a place for each cluster that fills its cache

	clusters   atomic.Pointer[map[string]*cluster] // copied on write
	identities identities
	running    sync.WaitGroup // goroutines of clusters
	locked     struct {
		sync.Mutex
		life  context.Context //nolint:containedctx // that of Start, nil before
		stops map[string]context.CancelFunc
	}
}

// New returns a Manager that knows no cluster. It does no I/O. It fails with ErrOptions where an
// option can never work, and where the metrics are registered already.
func New(options Options) (*Manager, error) {
	m := &Manager{options: options.WithDefaults()}
	if err := m.options.validate(); err != nil {
		return nil, err
	}
	var err error
	if m.options.kinds, err = kindsOf(m.options.Kinds, m.options.Scheme); err != nil {
		return nil, err
	}
	if m.metrics, err = newMetrics(m.options.Registerer, m.options.MetricLabel, m.views); err != nil {
		return nil, err
	}
	m.fills = make(chan struct{}, m.options.Fills)
	m.clusters.Store(&map[string]*cluster{})
	m.locked.stops = map[string]context.CancelFunc{}
	return m, nil
}

// Start serves the clusters until ctx ends, and returns when every goroutine of its own has ended.
// It can be called once.
func (m *Manager) Start(ctx context.Context) error {
	m.locked.Lock()
	if m.locked.life != nil {
		m.locked.Unlock()
		return errStarted
	}
	m.locked.life = ctx
	for name, c := range *m.clusters.Load() {
		m.run(name, c)
	}
	m.locked.Unlock()
	<-ctx.Done()
	for name := range *m.clusters.Load() {
		m.Remove(name)
	}
	m.running.Wait()
	m.metrics.close()
	return nil
}

// Put asks for a cluster under a name, or for something else under a name that is there: a changed
// kubeconfig is taken over in place. It returns at once. After the end of Start it does nothing.
func (m *Manager) Put(name string, w Wish) {
	m.locked.Lock()
	defer m.locked.Unlock()
	if m.locked.life != nil && m.locked.life.Err() != nil {
		return
	}
	if c, found := (*m.clusters.Load())[name]; found {
		c.mail.put(w)
		return
	}
	c := newCluster(name, w, m.options)
	c.hub, c.metrics, c.fills, c.told, c.identities = &m.hub, m.metrics, m.fills, m.changed, &m.identities
	clusters := maps.Clone(*m.clusters.Load())
	clusters[name] = c
	m.clusters.Store(&clusters)
	m.identities.changed()
	if m.locked.life != nil {
		m.run(name, c)
	}
	m.hub.StateChanged(name)
}

// run serves a cluster. It is called with the lock held.
func (m *Manager) run(name string, c *cluster) {
	ctx, stop := context.WithCancel(m.locked.life)
	m.locked.stops[name] = stop
	m.running.Go(func() {
		c.run(ctx)
		c.lingering.Wait()
		if _, again := (*m.clusters.Load())[name]; !again {
			m.metrics.remove(name)
		}
	})
}

// Remove ends and forgets a cluster. Clients of it that somebody holds fail from now on. It returns
// at once.
func (m *Manager) Remove(name string) {
	m.locked.Lock()
	defer m.locked.Unlock()
	c, found := (*m.clusters.Load())[name]
	if !found {
		return
	}
	clusters := maps.Clone(*m.clusters.Load())
	c.gone.Store(true) // for clients that somebody holds
	delete(clusters, name)
	m.clusters.Store(&clusters)
	m.identities.changed()
	if stop, running := m.locked.stops[name]; running {
		delete(m.locked.stops, name)
		stop()
	}
	m.hub.StateChanged(name)
}

// Invalidate drops the connection of a cluster, which then connects and syncs anew. Unknown names
// are ignored. It returns at once.
func (m *Manager) Invalidate(name string) {
	if c, found := (*m.clusters.Load())[name]; found {
		c.mail.rebuild()
	}
}

// InvalidateAll is Invalidate for every cluster.
func (m *Manager) InvalidateAll() {
	for _, c := range *m.clusters.Load() {
		c.mail.rebuild()
	}
}

// Source returns a source for a controller's Watches. It covers all clusters, present and future
// ones. Each Source is independent: one that is slow delays no other.
func (m *Manager) Source(handler EventHandler) source.Source { return m.hub.Source(handler) }

// changed is told of each change of a State.
func (m *Manager) changed(former, now State) {
	if former.Phase != now.Phase || former.Reason != now.Reason {
		m.options.Logger.Info("Cluster changed", m.options.logKey(), now.Config, "phase", now.Phase, "reason", now.Reason,
			"message", now.Message)
	}
	m.hub.StateChanged(now.Config)
	before, after := former.knownUID(), now.knownUID()
	if before == after {
		return
	}
	for name, c := range *m.clusters.Load() {
		uid := c.view.Load().state.knownUID()
		if name != now.Config && uid != "" && (uid == after || uid == before) {
			m.hub.StateChanged(name)
		}
	}
}

// views returns what look-ups see of each cluster that is always connected, for the metrics.
func (m *Manager) views() map[string]*view {
	views := map[string]*view{}
	for name, c := range *m.clusters.Load() {
		if !c.demand.only.Load() {
			views[name] = c.view.Load()
		}
	}
	return views
}

// States returns the states of all clusters, sorted by name. It does no I/O.
func (m *Manager) States() []State {
	clusters := *m.clusters.Load()
	states := make([]State, 0, len(clusters))
	for _, name := range sortedKeys(clusters) {
		states = append(states, m.stateOf(clusters, name))
	}
	return states
}

// State returns the state of one cluster; found is false where nobody asks for one of that name. It
// does no I/O.
func (m *Manager) State(name string) (state State, found bool) {
	clusters := *m.clusters.Load()
	if _, found := clusters[name]; !found {
		return State{}, false
	}
	return m.stateOf(clusters, name), true
}

// ProbeDuration returns how long the last probe of a cluster took that was answered; found is false
// where there was none yet. A State changes with the situation, and this with each probe. It does
// no I/O.
func (m *Manager) ProbeDuration(name string) (took time.Duration, found bool) {
	c, known := (*m.clusters.Load())[name]
	if !known {
		return 0, false
	}
	took = time.Duration(c.took.Load())
	return took, took > 0
}

func (m *Manager) stateOf(clusters map[string]*cluster, name string) State {
	state := clusters[name].view.Load().state.Clone()
	if others := m.identities.others(&m.clusters, state.knownUID(), name); len(others) > 0 {
		state.SharedWith = others
	}
	return state
}
