package clusters

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// queue is where a Source puts its requests.
type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// feed is one cluster's informers while they run.
type feed struct {
	cluster   string
	informers []cache.Informer
}

// Hub joins every consumer (a started Source) with every cluster's informers. Joining is
// bookkeeping alone: each consumer has an inbox of its own for each informer (fanOut), so that a slow
// consumer delays no other one. A Manager has one. One of its own stands in for a Manager's in tests:
// its events are those of StateChanged and ObjectChanged. The zero value is ready; it is safe for
// concurrent use.
type Hub struct {
	locked struct {
		sync.Mutex
		consumers map[*consumer]struct{}
		feeds     map[*feed]struct{}
	}
}

// Source returns a Source that feeds handler. Each Start of it is one more consumer, until that
// Start's context ends.
func (h *Hub) Source(handler EventHandler) source.Source {
	return source.Func(func(ctx context.Context, q queue) error {
		c := &consumer{
			ctx: ctx, handler: handler, queue: q,
			changed: make(chan struct{}, 1), pending: map[string]struct{}{}, gathered: map[reconcile.Request]struct{}{},
			listeners: map[*feed][]listener{},
		}
		if err := h.join(c); err != nil {
			return err
		}
		go c.run()
		context.AfterFunc(ctx, func() { h.leave(c) })
		return nil
	})
}

func (h *Hub) join(c *consumer) error {
	h.locked.Lock()
	defer h.locked.Unlock()
	for f := range h.locked.feeds {
		if err := c.listen(f); err != nil {
			return err
		}
	}
	if h.locked.consumers == nil {
		h.locked.consumers = map[*consumer]struct{}{}
	}
	h.locked.consumers[c] = struct{}{}
	return nil
}

func (h *Hub) leave(c *consumer) {
	h.locked.Lock()
	defer h.locked.Unlock()
	delete(h.locked.consumers, c)
	for _, listeners := range c.listeners {
		for _, l := range listeners {
			_ = l.informer.RemoveEventHandler(l.registration) // its only error says that it is gone already
		}
	}
	c.listeners = nil
}

// add joins a cluster's informers with every consumer. Objects that they hold already are delivered
// as well.
func (h *Hub) add(f *feed) error {
	h.locked.Lock()
	defer h.locked.Unlock()
	if h.locked.feeds == nil {
		h.locked.feeds = map[*feed]struct{}{}
	}
	h.locked.feeds[f] = struct{}{}
	var errs []error
	for c := range h.locked.consumers {
		errs = append(errs, c.listen(f))
	}
	return errors.Join(errs...)
}

// remove forgets a feed. Its listeners end with its informers.
func (h *Hub) remove(f *feed) {
	h.locked.Lock()
	defer h.locked.Unlock()
	delete(h.locked.feeds, f)
	for c := range h.locked.consumers {
		delete(c.listeners, f)
	}
}

// StateChanged tells every consumer that the State of a cluster changed. It never blocks.
func (h *Hub) StateChanged(name string) {
	h.locked.Lock()
	defer h.locked.Unlock()
	for c := range h.locked.consumers {
		c.stateChanged(name)
	}
}

// ObjectChanged maps an object for every consumer, in this goroutine.
func (h *Hub) ObjectChanged(name string, object client.Object) {
	h.locked.Lock()
	consumers := make([]*consumer, 0, len(h.locked.consumers))
	for c := range h.locked.consumers {
		consumers = append(consumers, c)
	}
	h.locked.Unlock()
	for _, c := range consumers {
		c.enqueue(name, object, false)
	}
}

type listener struct {
	informer     cache.Informer
	registration toolscache.ResourceEventHandlerRegistration
}

// consumer is one started Source.
type consumer struct {
	ctx     context.Context //nolint:containedctx // the Start's own: the consumer lives exactly as long
	handler EventHandler
	queue   queue
	changed chan struct{} // room for one: pending is not empty

	listeners map[*feed][]listener // guarded by the hub's lock

	mu       sync.Mutex
	pending  map[string]struct{}            // names whose State changed
	gathered map[reconcile.Request]struct{} // requests that can wait
}

// gatherTime is how long requests that can wait are gathered. While a cluster connects its State
// changes some times, and then each object of each kind is shown: one request serves them all.
const gatherTime = 200 * time.Millisecond

func (c *consumer) run() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.changed:
		}
		c.mu.Lock()
		pending := c.pending
		c.pending = map[string]struct{}{}
		c.mu.Unlock()
		for _, config := range sortedKeys(pending) {
			if c.handler.State != nil {
				c.add(false, c.handler.State(c.ctx, config))
			}
			if c.handler.Backlog != nil {
				c.add(true, c.handler.Backlog(c.ctx, config))
			}
		}
	}
}

func (c *consumer) stateChanged(config string) {
	if c.handler.State == nil && c.handler.Backlog == nil {
		return
	}
	c.mu.Lock()
	c.pending[config] = struct{}{}
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default: // told already
	}
}

func (c *consumer) listen(f *feed) error {
	if c.handler.Object == nil {
		return nil
	}
	for _, informer := range f.informers {
		registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{
			AddFunc:    func(object any, first bool) { c.enqueueAny(f.cluster, object, first) },
			UpdateFunc: func(before, after any) { c.updated(f.cluster, before, after) },
			DeleteFunc: func(object any) { c.enqueueAny(f.cluster, object, false) },
		})
		if err != nil {
			return err
		}
		c.listeners[f] = append(c.listeners[f], listener{informer: informer, registration: registration})
	}
	return nil
}

func (c *consumer) updated(config string, before, after any) {
	old, isObject := before.(client.Object)
	now, stillObject := after.(client.Object)
	if !isObject || !stillObject || old.GetResourceVersion() == now.GetResourceVersion() {
		return
	}
	c.enqueue(config, old, false)
	c.enqueue(config, now, false)
}

// enqueueAny maps an object. One that was there when the cluster was connected can wait.
func (c *consumer) enqueueAny(config string, object any, canWait bool) {
	if gone, isTombstone := object.(toolscache.DeletedFinalStateUnknown); isTombstone {
		object = gone.Obj
	}
	if o, isObject := object.(client.Object); isObject {
		c.enqueue(config, o, canWait)
	}
}

func (c *consumer) enqueue(config string, object client.Object, canWait bool) {
	if c.handler.Object != nil {
		c.add(canWait, c.handler.Object(c.ctx, config, object))
	}
}

// add puts requests into the queue, which holds equal ones once.
func (c *consumer) add(canWait bool, requests []reconcile.Request) {
	if canWait {
		c.gather(requests)
		return
	}
	for _, request := range requests {
		c.queue.Add(request)
	}
}

// gather keeps requests for gatherTime.
func (c *consumer) gather(requests []reconcile.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.gathered) == 0 && len(requests) > 0 {
		time.AfterFunc(gatherTime, c.pass)
	}
	for _, request := range requests {
		c.gathered[request] = struct{}{}
	}
}

// pass puts what was gathered into the queue, in no order.
func (c *consumer) pass() {
	c.mu.Lock()
	requests := slices.Collect(maps.Keys(c.gathered))
	c.gathered = map[reconcile.Request]struct{}{}
	c.mu.Unlock()
	if priorities, has := c.queue.(priorityqueue.PriorityQueue[reconcile.Request]); has {
		priorities.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, requests...)
		return
	}
	for _, request := range requests {
		c.queue.Add(request)
	}
}
