package clusters

import (
	"sync"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// fanOut is an informer whose handlers share one listener. Each listener of client-go's costs two
// goroutines and 16 KiB, and has everything that is packed unpacked for itself: with three consumers
// of three kinds that was half of what a cluster costs.
//
// Each handler has an inbox of its own, so that none waits for another; it costs a goroutine only
// while something is in it. A handler that comes later is told of what is there already, as client-go
// does, and may be told of the end of something that it was not told of.
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

// newFanOut returns informer itself, of whole objects, where it does not show its store.
func newFanOut(informer cache.Informer) cache.Informer {
	stored, ok := informer.(interface{ GetStore() toolscache.Store })
	if !ok {
		return wholeInformer{informer}
	}
	f := &fanOut{wholeInformer: wholeInformer{informer}, store: stored.GetStore()}
	f.locked.inboxes = map[*inbox]struct{}{}
	return f
}

// membership is the registration of one handler.
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
			AddFunc:    func(object any, first bool) { f.tell(news{kind: wasAdded, now: object, first: first}) },
			UpdateFunc: func(before, now any) { f.tell(news{kind: wasUpdated, before: before, now: now}) },
			DeleteFunc: func(object any) { f.tell(news{kind: wasDeleted, now: object}) },
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
		added.put(news{kind: wasAdded, now: whole(object), first: true})
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

// tell puts news into each inbox. What was there when the listener came, those that came later have
// already.
func (f *fanOut) tell(n news) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for each := range f.locked.inboxes {
		if !each.late || !n.first || !f.locked.replayed {
			each.put(n)
		}
	}
}

// news is one event of an informer.
type news struct {
	kind        int
	before, now any
	first       bool
}

const (
	wasAdded = iota
	wasUpdated
	wasDeleted
)

// inbox has what one handler was not told of yet, in the order of coming.
type inbox struct {
	handler toolscache.ResourceEventHandler
	late    bool // it came after the listener

	mu     sync.Mutex
	locked struct {
		waiting []news
		emptied bool // somebody is at it
		closed  bool
	}
}

// put never waits.
func (i *inbox) put(n news) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.locked.closed {
		return
	}
	i.locked.waiting = append(i.locked.waiting, n)
	if !i.locked.emptied {
		i.locked.emptied = true
		go i.empty()
	}
}

// empty tells the handler of what waits, until nothing does.
func (i *inbox) empty() {
	for {
		i.mu.Lock()
		waiting := i.locked.waiting
		i.locked.waiting = nil
		if len(waiting) == 0 {
			i.locked.emptied = false
			i.mu.Unlock()
			return
		}
		i.mu.Unlock()
		for _, n := range waiting {
			switch n.kind {
			case wasAdded:
				i.handler.OnAdd(n.now, n.first)
			case wasUpdated:
				i.handler.OnUpdate(n.before, n.now)
			case wasDeleted:
				i.handler.OnDelete(n.now)
			}
		}
	}
}

// close drops what waits.
func (i *inbox) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.locked.closed, i.locked.waiting = true, nil
}
