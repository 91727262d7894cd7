package clusters

import (
	"sync"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// fanOut is an informer whose handlers share one listener. Each listener of client-go's costs two
// goroutines and 16 KiB, and unpacks for itself what is packed: three consumers of three kinds took
// half of the heap that a cluster costs.
//
// Each handler has an inbox of its own, so that a slow handler delays no other one. An inbox costs a
// goroutine only while something is in it. A handler that is added later is told of the objects that
// are there, as client-go does, and may be told that an object is gone of which it never heard.
type fanOut struct {
	wholeInformer
	store toolscache.Store

	mu     sync.Mutex
	locked struct {
		listener toolscache.ResourceEventHandlerRegistration // nil without handlers
		replayed bool                                        // the listener came after the first list
		inboxes  map[*inbox]struct{}
	}
}

// newFanOut wraps an informer. One that does not show its store has a listener for each handler.
func newFanOut(informer cache.Informer) cache.Informer {
	store := storeOf(informer)
	if store == nil {
		return wholeInformer{informer}
	}
	f := &fanOut{wholeInformer: wholeInformer{informer}, store: store}
	f.locked.inboxes = map[*inbox]struct{}{}
	return f
}

// membership is the registration of one handler. What it says of being synced is the listener's word.
type membership struct {
	toolscache.ResourceEventHandlerRegistration // the listener's
	inbox                                       *inbox
}

// AddEventHandler implements cache.Informer.
func (f *fanOut) AddEventHandler(
	handler toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := &inbox{handler: handler}
	if f.locked.listener == nil || f.IsStopped() { // which refuses it
		f.locked.inboxes[added], f.locked.replayed = struct{}{}, f.HasSynced()
		listener, err := f.wholeInformer.AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{
			AddFunc:    func(object any, first bool) { f.tell(first, wasAdded(object, first)) },
			UpdateFunc: func(before, now any) { f.tell(false, wasUpdated(before, now)) },
			DeleteFunc: func(object any) { f.tell(false, wasDeleted(object)) },
		})
		if err != nil {
			delete(f.locked.inboxes, added)
			return nil, err
		}
		f.locked.listener = listener
		return membership{listener, added}, nil
	}
	added.late = true
	for _, object := range f.store.List() {
		added.put(wasAdded(whole(object), true))
	}
	f.locked.inboxes[added] = struct{}{}
	return membership{f.locked.listener, added}, nil
}

// RemoveEventHandler implements cache.Informer.
func (f *fanOut) RemoveEventHandler(registration toolscache.ResourceEventHandlerRegistration) error {
	member, isOurs := registration.(membership)
	if !isOurs {
		return f.wholeInformer.RemoveEventHandler(registration)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.locked.inboxes, member.inbox)
	member.inbox.close()
	if len(f.locked.inboxes) > 0 || f.locked.listener == nil {
		return nil
	}
	listener := f.locked.listener
	f.locked.listener = nil
	return f.wholeInformer.RemoveEventHandler(listener)
}

// tell puts a notification into each inbox. The handlers that were added later know already what was there
// when the listener was made.
func (f *fanOut) tell(first bool, told notification) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for each := range f.locked.inboxes {
		if !each.late || !first || !f.locked.replayed {
			each.put(told)
		}
	}
}

// notification tells a handler what happened to one object.
type notification func(toolscache.ResourceEventHandler)

func wasAdded(object any, first bool) notification {
	return func(h toolscache.ResourceEventHandler) { h.OnAdd(object, first) }
}

func wasUpdated(before, now any) notification {
	return func(h toolscache.ResourceEventHandler) { h.OnUpdate(before, now) }
}

func wasDeleted(object any) notification {
	return func(h toolscache.ResourceEventHandler) { h.OnDelete(object) }
}

// inbox has what one handler was not told of yet, in the order of coming.
type inbox struct {
	handler toolscache.ResourceEventHandler
	late    bool // it came after the listener

	mu     sync.Mutex
	locked struct {
		waiting  []notification
		draining bool
		closed   bool
	}
}

// put never waits.
func (i *inbox) put(told notification) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.locked.closed {
		return
	}
	i.locked.waiting = append(i.locked.waiting, told)
	if !i.locked.draining {
		i.locked.draining = true
		go i.drain()
	}
}

// drain tells the handler of what waits, until nothing does.
func (i *inbox) drain() {
	for {
		i.mu.Lock()
		waiting := i.locked.waiting
		i.locked.waiting = nil
		if len(waiting) == 0 {
			i.locked.draining = false
			i.mu.Unlock()
			return
		}
		i.mu.Unlock()
		for _, tell := range waiting {
			tell(i.handler)
		}
	}
}

// close drops what waits.
func (i *inbox) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.locked.closed, i.locked.waiting = true, nil
}
