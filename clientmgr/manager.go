package clientmgr

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcluster "sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// KubevirtClientManager is the ClientManager of a running process: it follows the KubevirtConfigs
// and Secrets of the supervisor cluster, and keeps one connection to each remote cluster. Add it to
// a controller-runtime manager, or call Start. It is safe for concurrent use.
type KubevirtClientManager struct {
	supervisor client.Client
	cache      cache.Cache
	options    Options
	clusters   *clusters.Manager
	unwatched  *unwatched // nil where Options.Secrets is
	ledgers    ledgers

	synced  atomic.Bool // the supervisor's caches have
	started atomic.Bool
	// clusterScoped says that the supervisor's KubevirtConfigs are.
	clusterScoped atomic.Bool
}

var (
	_ RemoteClusters                 = (*KubevirtClientManager)(nil)
	_ manager.LeaderElectionRunnable = (*KubevirtClientManager)(nil)
)

// NewKubevirtClientManager returns a manager that reads KubevirtConfigs and Secrets from
// supervisorCache, and hands out supervisor as it is. It does no I/O. Limit the cache to what is
// needed with SupervisorCache. It fails where an option can never work, a declared kind is not in
// the scheme or is declared twice, or the metrics are registered already.
func NewKubevirtClientManager(
	supervisor client.Client, supervisorCache cache.Cache, options Options,
) (*KubevirtClientManager, error) {
	m := &KubevirtClientManager{
		supervisor: supervisor, cache: supervisorCache, options: options.withDefaults(supervisor),
	}
	var err error
	if m.clusters, err = clusters.New(m.options.Options); err != nil {
		return nil, err
	}
	return m, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable by Options.WarmStandby.
func (m *KubevirtClientManager) NeedLeaderElection() bool { return !m.options.WarmStandby }

// Start follows the supervisor until ctx ends, and returns when every goroutine of its own has
// ended. An unreachable supervisor or a missing definition is waited for. It can be called once.
func (m *KubevirtClientManager) Start(ctx context.Context) error {
	if m.started.Swap(true) {
		return fmt.Errorf("client manager was started before")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var serving sync.WaitGroup
	serving.Go(func() { _ = m.clusters.Start(ctx) }) // its only error is being started twice
	err := m.follow(ctx)
	stop()
	serving.Wait()
	return err
}

// Source implements EventSource.
func (m *KubevirtClientManager) Source(handler EventHandler) source.Source {
	return m.clusters.Source(handler)
}

// States implements StateReporter.
func (m *KubevirtClientManager) States() []State { return m.clusters.States() }

// State implements StateReporter.
func (m *KubevirtClientManager) State(kubevirtConfigName string) (State, bool) {
	return m.clusters.State(kubevirtConfigName)
}

// ProbeDuration returns how long the last answered probe of a KubevirtConfig's cluster took: see
// clusters.Manager.ProbeDuration. It does no I/O.
func (m *KubevirtClientManager) ProbeDuration(kubevirtConfigName string) (took time.Duration, found bool) {
	return m.clusters.ProbeDuration(kubevirtConfigName)
}

// Cluster returns a connected cluster as controller-runtime's cluster.Cluster, for what builds on
// that: see clusters.Cluster.Controller. Errors are those of GetClientForConfig. It does no I/O.
func (m *KubevirtClientManager) Cluster(kubevirtConfigName string) (ctrlcluster.Cluster, error) {
	c, err := m.get(context.Background(), kubevirtConfigName)
	if err != nil {
		return nil, err
	}
	return c.Controller()
}

// DeclaredKind returns an object's kind where Options.Kinds has it in the object's form: see
// clusters.Manager.DeclaredKind. It does no I/O.
func (m *KubevirtClientManager) DeclaredKind(object client.Object) (schema.GroupVersionKind, error) {
	return m.clusters.DeclaredKind(object)
}
