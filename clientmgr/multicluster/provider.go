package multicluster

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// workers is how many clusters are engaged at once: one whose controllers take their time delays
// few others.
const workers = 8

// Clusters is what is needed of a client manager. clientmgr.KubevirtClientManager is one.
type Clusters interface {
	clientmgr.EventSource
	clientmgr.StateReporter
	// Cluster returns a connected cluster, the same value as long as its connection lasts.
	Cluster(kubevirtConfigName string) (cluster.Cluster, error)
}

// Options tune a Provider. The zero value works.
type Options struct {
	// Logger is told of clusters that come, go, or cannot be engaged. The zero Logger is silent.
	Logger logr.Logger
}

// Provider offers the clusters of a client manager to a multicluster manager. It is safe for
// concurrent use.
type Provider struct {
	clusters Clusters
	options  Options

	locked struct {
		sync.Mutex
		engaged map[string]engagement
		indexes []index
	}
}

// engagement is one connection that controllers work on.
type engagement struct {
	cluster cluster.Cluster
	end     context.CancelFunc
}

type index struct {
	object  client.Object
	field   string
	extract client.IndexerFunc
}

var (
	_ multicluster.Provider         = (*Provider)(nil)
	_ multicluster.ProviderRunnable = (*Provider)(nil)
)

// New returns a Provider. The client manager has to be started by somebody else, for example by the
// same manager. It does no I/O.
func New(clusters Clusters, options Options) *Provider {
	p := &Provider{clusters: clusters, options: options}
	p.locked.engaged = map[string]engagement{}
	return p
}

// Get returns a connected cluster. An unknown name is multicluster.ErrClusterNotFound; every other
// error is the client manager's own and worth another try. It does no I/O.
func (p *Provider) Get(_ context.Context, clusterName string) (cluster.Cluster, error) {
	found, err := p.clusters.Cluster(clusterName)
	if errors.Is(err, clientmgr.ErrConfigNotFound) {
		return nil, fmt.Errorf("%w: %w", multicluster.ErrClusterNotFound, err)
	}
	return found, err
}

// IndexField adds an index to the caches of all clusters, present and future ones. The kind must be
// one that the client manager caches.
func (p *Provider) IndexField(
	ctx context.Context, object client.Object, field string, extract client.IndexerFunc,
) error {
	added := index{object, field, extract}
	p.locked.Lock()
	defer p.locked.Unlock()
	p.locked.indexes = append(p.locked.indexes, added)
	var errs []error
	for name, each := range p.locked.engaged {
		if err := each.cluster.GetFieldIndexer().IndexField(ctx, object, field, extract); err != nil {
			errs = append(errs, fmt.Errorf("cluster %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Start engages each cluster with aware when it is connected, and disengages it when its connection
// ends: never for a mere loss of contact. It returns when ctx ends.
func (p *Provider) Start(ctx context.Context, aware multicluster.Aware) error {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	source := p.clusters.Source(clientmgr.EventHandler{State: func(_ context.Context, config string) []reconcile.Request {
		return []reconcile.Request{request(config)}
	}})
	if err := source.Start(ctx, queue); err != nil {
		return fmt.Errorf("following the clusters: %w", err)
	}
	for _, state := range p.clusters.States() {
		queue.Add(request(state.Config))
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { p.work(ctx, aware, queue, &running) })
	}
	<-ctx.Done()
	queue.ShutDown()
	running.Wait()
	return nil
}

func request(config string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: config}}
}

func (p *Provider) work(
	ctx context.Context, aware multicluster.Aware, queue workqueue.TypedRateLimitingInterface[reconcile.Request],
	running *sync.WaitGroup,
) {
	for {
		item, shutdown := queue.Get()
		if shutdown {
			return
		}
		ended := func() { queue.Add(item) }
		if err := p.engage(ctx, aware, item.Name, running, ended); err != nil {
			p.options.Logger.Error(err, "Cluster could not be engaged", "kubevirtConfig", item.Name)
			queue.AddRateLimited(item)
		} else {
			queue.Forget(item)
		}
		queue.Done(item)
	}
}

// engage engages a cluster that is connected and not engaged yet. ended is called when its
// connection has ended.
func (p *Provider) engage(
	ctx context.Context, aware multicluster.Aware, name string, running *sync.WaitGroup, ended func(),
) error {
	found, err := p.clusters.Cluster(name)
	if err != nil || ctx.Err() != nil {
		return nil //nolint:nilerr // not connected: its State will tell when it is
	}
	life, end := context.WithCancel(ctx)
	known, err := p.note(life, name, engagement{found, end})
	if known || err != nil {
		end()
		return err
	}
	if err := aware.Engage(life, name, found); err != nil {
		p.forget(name, found)
		end()
		return err
	}
	p.options.Logger.Info("Cluster engaged", "kubevirtConfig", name)
	running.Go(func() {
		defer ended()
		defer end()
		if err := found.Start(life); err != nil { // until the connection ends
			p.options.Logger.Error(err, "Cluster ended", "kubevirtConfig", name)
		}
		p.forget(name, found)
		p.options.Logger.Info("Cluster disengaged", "kubevirtConfig", name)
	})
	return nil
}

// note makes an engagement the current one, with all indexes; known says that it is so already. A
// former connection is ended.
func (p *Provider) note(ctx context.Context, name string, next engagement) (known bool, err error) {
	p.locked.Lock()
	defer p.locked.Unlock()
	former, found := p.locked.engaged[name]
	if found && former.cluster == next.cluster {
		return true, nil
	}
	for _, each := range p.locked.indexes {
		if err := next.cluster.GetFieldIndexer().IndexField(ctx, each.object, each.field, each.extract); err != nil {
			return false, fmt.Errorf("index %s: %w", each.field, err)
		}
	}
	if found {
		former.end()
	}
	p.locked.engaged[name] = next
	return false, nil
}

func (p *Provider) forget(name string, ended cluster.Cluster) {
	p.locked.Lock()
	defer p.locked.Unlock()
	if p.locked.engaged[name].cluster == ended {
		delete(p.locked.engaged, name)
	}
}
