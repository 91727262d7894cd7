package multicluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

const (
	// workers is how many clusters are engaged at once: one whose controllers take their time delays
	// few others.
	workers = 8
	// A cluster that could not be engaged is tried again after firstRetry, which doubles up to
	// lastRetry.
	firstRetry, lastRetry = 100 * time.Millisecond, time.Minute
)

// queue holds the names of clusters that have to be looked at.
type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Start engages each cluster with aware when it is connected, and disengages it when its connection
// ends: never for a mere loss of contact. What could not be engaged is tried again with back-off.
// It returns when ctx ends.
func (p *Provider) Start(ctx context.Context, aware multicluster.Aware) error {
	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry))
	source := p.clusters.Source(clientmgr.EventHandler{State: func(_ context.Context, config string) []reconcile.Request {
		return []reconcile.Request{request(config)}
	}})
	if err := source.Start(ctx, queue); err != nil {
		return fmt.Errorf("following the clusters: %w", err)
	}
	for _, state := range p.clusters.States() {
		queue.Add(request(state.Config))
	}
	e := &engager{Provider: p, aware: aware, queue: queue}
	for range workers {
		e.running.Go(func() { e.work(ctx) })
	}
	<-ctx.Done()
	queue.ShutDown()
	e.running.Wait()
	return nil
}

func request(config string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: config}}
}

// engager is one Start of a Provider.
type engager struct {
	*Provider
	aware   multicluster.Aware
	queue   queue
	running sync.WaitGroup // the workers, and a goroutine for each engaged cluster
}

func (e *engager) work(ctx context.Context) {
	for {
		item, shutdown := e.queue.Get()
		if shutdown {
			return
		}
		if err := e.look(ctx, item.Name); err != nil {
			e.options.Logger.Error(err, "Cluster could not be engaged", "kubevirtConfig", item.Name)
			e.queue.AddRateLimited(item)
		} else {
			e.queue.Forget(item)
		}
		e.queue.Done(item)
	}
}

// look engages a cluster that is connected and not engaged yet.
func (e *engager) look(ctx context.Context, name string) error {
	found, err := e.clusters.Cluster(name)
	if errors.Is(err, clientmgr.ErrConfigNotFound) {
		e.locked.forget(name, nil)
	}
	if err != nil || ctx.Err() != nil {
		return nil //nolint:nilerr // not connected: its State will tell when it is
	}
	if engaged, err := e.locked.prepare(ctx, name, found); engaged || err != nil {
		return err
	}
	return e.engage(ctx, name, found)
}

func (e *engager) engage(ctx context.Context, name string, found cluster.Cluster) error {
	life, end := context.WithCancel(ctx)
	if err := e.aware.Engage(life, multicluster.ClusterName(name), found); err != nil {
		end() // the controllers that did take it
		return err
	}
	if !e.locked.engaged(name, found, end) {
		end()
		return fmt.Errorf("cluster %s was connected anew meanwhile", name)
	}
	e.options.Logger.Info("Cluster engaged", "kubevirtConfig", name)
	e.running.Go(func() {
		defer e.queue.Add(request(name)) // another connection may be there already
		defer end()
		if err := found.Start(life); err != nil { // until the connection ends
			e.options.Logger.Error(err, "Cluster ended", "kubevirtConfig", name)
		}
		e.locked.forget(name, found)
		e.options.Logger.Info("Cluster disengaged", "kubevirtConfig", name)
	})
	return nil
}
