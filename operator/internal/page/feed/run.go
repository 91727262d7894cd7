package feed

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
)

// maxSeen is the number of changes that are remembered while somebody listens.
const maxSeen = 500

// run is the work for those who listen. Its rows are guarded by the feed's lock; its one goroutine
// turns what the informers tell into batches.
type run struct {
	feed     *Feed
	clusters map[string]*row[view.Cluster]
	machines map[Key]*row[view.Machine]
	seen     []view.Change // the oldest first

	news    news
	stop    context.CancelFunc
	stopped chan struct{}
	leave   []func()
}

// row is what was made of an object in one version.
type row[T any] struct {
	version string
	view    T
}

// news are the objects that informers told of since the last batch, newest state alone: nil is one
// that is gone.
type news struct {
	sync.Mutex
	clusters map[string]*vitistackv1alpha1.KubevirtConfig
	machines map[Key]*vitistackv1alpha1.Machine
	arrived  chan struct{} // room for one
	counts   func(*vitistackv1alpha1.KubevirtConfig) bool
}

func newRun(f *Feed) *run {
	r := &run{feed: f, clusters: map[string]*row[view.Cluster]{}, machines: map[Key]*row[view.Machine]{}}
	r.news.arrived, r.news.counts = make(chan struct{}, 1), f.options.Config
	r.news.take()
	return r
}

// begin hears what the informers tell, and then reads all that they hold: nothing is missed between
// the two, and what comes twice is known by its version.
func (r *run) begin(ctx context.Context, informers []cache.Informer) error {
	for _, informer := range informers {
		registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(object any) { r.news.put(object, false) },
			UpdateFunc: func(_, object any) { r.news.put(object, false) },
			DeleteFunc: func(object any) { r.news.put(object, true) },
		})
		if err != nil {
			r.forget()
			return fmt.Errorf("listening to an informer: %w", err)
		}
		r.leave = append(r.leave, func() { _ = informer.RemoveEventHandler(registration) })
	}
	if err := r.fill(ctx); err != nil {
		r.forget()
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop, r.stopped = stop, make(chan struct{})
	go r.loop(running)
	return nil
}

// end ends everything that begin began, and waits for it.
func (r *run) end() {
	r.stop()
	<-r.stopped
	r.forget()
}

func (r *run) forget() {
	for _, leave := range r.leave {
		leave()
	}
}

// fill makes rows of all that the caches hold.
func (r *run) fill(ctx context.Context) error {
	configs, machines := &vitistackv1alpha1.KubevirtConfigList{}, &vitistackv1alpha1.MachineList{}
	for _, list := range []client.ObjectList{configs, machines} {
		if err := r.feed.caches.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("reading the cache: %w", err)
		}
	}
	var all Batch
	for i := range configs.Items {
		if config := &configs.Items[i]; r.feed.options.Config(config) {
			r.cluster(&all, config.Name, config)
		}
	}
	for i := range machines.Items {
		machine := &machines.Items[i]
		r.machine(&all, Key{machine.Namespace, machine.Name}, machine)
	}
	return nil
}

// rows are copies of all rows, in no order.
func (r *run) rows() Rows {
	rows := Rows{Clusters: make([]view.Cluster, 0, len(r.clusters)), Machines: make([]view.Machine, 0, len(r.machines))}
	for _, each := range r.clusters {
		rows.Clusters = append(rows.Clusters, each.view)
	}
	for _, each := range r.machines {
		rows.Machines = append(rows.Machines, each.view)
	}
	rows.Seen = append(rows.Seen, r.seen...)
	return rows
}

func (r *run) loop(ctx context.Context) {
	defer close(r.stopped)
	clock := r.feed.options.Clock
	vitals := clock.NewTicker(r.feed.options.VitalsInterval)
	defer vitals.Stop()
	for {
		var batch Batch
		select {
		case <-ctx.Done():
			return
		case <-r.news.arrived:
		case <-vitals.C():
			r.measure(&batch)
		}
		r.flush(&batch)
		pause := clock.NewTimer(r.feed.options.Pause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C():
		}
	}
}

// measure looks at what is measured of each cluster.
func (r *run) measure(batch *Batch) {
	r.feed.locked.Lock()
	defer r.feed.locked.Unlock()
	for name, each := range r.clusters {
		if vitals := r.feed.options.Vitals(name); !reflect.DeepEqual(vitals, each.view.Vitals) {
			each.view.Vitals = vitals
			batch.Clusters = append(batch.Clusters, each.view)
		}
	}
}

// flush makes rows of the news, and tells what is new in them.
func (r *run) flush(batch *Batch) {
	clusters, machines := r.news.take()
	r.feed.locked.Lock()
	defer r.feed.locked.Unlock()
	for name, config := range clusters {
		r.cluster(batch, name, config)
	}
	for key, machine := range machines {
		r.machine(batch, key, machine)
	}
	if batch.empty() {
		return
	}
	r.seen = append(r.seen, batch.Changes...)
	if excess := len(r.seen) - maxSeen; excess > 0 {
		r.seen = append(r.seen[:0], r.seen[excess:]...)
	}
	r.feed.publish(*batch)
}

// cluster takes over a KubevirtConfig; nil is one that is gone.
func (r *run) cluster(batch *Batch, name string, config *vitistackv1alpha1.KubevirtConfig) {
	var next *row[view.Cluster]
	if config != nil {
		if known := r.clusters[name]; known != nil && known.version == config.ResourceVersion {
			return
		}
		next = &row[view.Cluster]{config.ResourceVersion, view.ClusterOf(config, r.feed.options.Vitals(name))}
	}
	former, now, changed := replace(r.clusters, name, next)
	switch {
	case !changed:
		return
	case now == nil:
		batch.GoneClusters = append(batch.GoneClusters, name)
	default:
		batch.Clusters = append(batch.Clusters, *now)
	}
	batch.Changes = append(batch.Changes, view.ClusterChanges(former, now, r.feed.options.Clock.Now().UTC())...)
}

// machine takes over a Machine; nil is one that is gone.
func (r *run) machine(batch *Batch, key Key, machine *vitistackv1alpha1.Machine) {
	var next *row[view.Machine]
	if machine != nil && r.feed.options.Machine(machine) {
		if known := r.machines[key]; known != nil && known.version == machine.ResourceVersion {
			return
		}
		next = &row[view.Machine]{machine.ResourceVersion, view.MachineOf(machine)}
	}
	former, now, changed := replace(r.machines, key, next)
	switch {
	case !changed:
		return
	case now == nil:
		batch.GoneMachines = append(batch.GoneMachines, key)
	default:
		batch.Machines = append(batch.Machines, *now)
	}
	batch.Changes = append(batch.Changes, view.MachineChanges(former, now, r.feed.options.Clock.Now().UTC())...)
}

// replace puts a row in the place of the former one; nil is one that is gone. changed says whether
// that shows.
func replace[K comparable, T any](rows map[K]*row[T], key K, next *row[T]) (former, now *T, changed bool) {
	if known := rows[key]; known != nil {
		former = &known.view
	}
	if next == nil {
		delete(rows, key)
		return former, nil, former != nil
	}
	rows[key] = next
	return former, &next.view, former == nil || !reflect.DeepEqual(*former, next.view)
}

// put notes what an informer told. It runs on the informer's goroutine.
func (n *news) put(object any, gone bool) {
	if last, isTombstone := object.(toolscache.DeletedFinalStateUnknown); isTombstone {
		object = last.Obj
	}
	n.Lock()
	defer n.Unlock()
	switch object := object.(type) {
	case *vitistackv1alpha1.KubevirtConfig:
		if !n.counts(object) { // one of the same name in another namespace
			return
		}
		if n.clusters[object.Name] = object; gone {
			n.clusters[object.Name] = nil
		}
	case *vitistackv1alpha1.Machine:
		key := Key{object.Namespace, object.Name}
		if n.machines[key] = object; gone {
			n.machines[key] = nil
		}
	}
	select {
	case n.arrived <- struct{}{}:
	default: // told already
	}
}

// take returns the news and begins anew.
func (n *news) take() (map[string]*vitistackv1alpha1.KubevirtConfig, map[Key]*vitistackv1alpha1.Machine) {
	n.Lock()
	defer n.Unlock()
	clusters, machines := n.clusters, n.machines
	n.clusters = map[string]*vitistackv1alpha1.KubevirtConfig{}
	n.machines = map[Key]*vitistackv1alpha1.Machine{}
	return clusters, machines
}
