package clusters

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// overlayAge is how long the overlay answers for an informer that does not reach a write.
	overlayAge = 30 * time.Second
	// maxGone is the number of remembered deletions from which on old ones are forgotten.
	maxGone = 4096
)

// overlay remembers what one client wrote until the informers have seen it. It is safe for
// concurrent use. No method waits for an informer.
type overlay struct {
	scheme *runtime.Scheme
	clock  clock.PassiveClock
	kinds  map[declaration]*overlaidKind // read only

	size   atomic.Int64 // the number of writes that are remembered; readers look at it without a lock
	busy   atomic.Int64 // the number of write calls under way
	locked struct {
		sync.Mutex
		writes map[writeKey]write
		// gone are the objects whose end an informer told while a write call was under way. The answer to
		// a write may come after the event of a later deletion, and must not bring the object back.
		gone  map[types.UID]time.Time
		swept time.Time
	}
}

// overlaidKind is a kind whose cached reads are corrected.
type overlaidKind struct {
	kind      kind // what the cache holds
	informer  cache.Informer
	transform toolscache.TransformFunc // what the cache does to objects; may be nil
	listen    sync.Once
}

type writeKey struct {
	kind declaration
	name client.ObjectKey
}

// write is what this client did last to one object.
type write struct {
	object  client.Object // as the server returned it; nil where only a deletion is known; never changed
	uid     types.UID     // "" where it is not known
	version string        // the object's resourceVersion
	deleted bool          // this client deleted it: it is going, or gone
	hidden  bool          // it does not match the cache's selectors any more
	at      time.Time
}

func newOverlay(scheme *runtime.Scheme, clock clock.PassiveClock) *overlay {
	o := &overlay{scheme: scheme, clock: clock, kinds: map[declaration]*overlaidKind{}}
	o.locked.writes, o.locked.gone = map[writeKey]write{}, map[types.UID]time.Time{}
	return o
}

// begin is called before each write call of a kind, and the function that it returns after it. The
// first call for a kind adds a listener to its informer: a cluster in which nothing is written
// costs none.
func (o *overlay) begin(kinds []declaration) (end func()) {
	o.busy.Add(1)
	for _, kind := range kinds {
		tracked := o.kinds[kind]
		tracked.listen.Do(func() {
			// It fails where the informer has ended alone. Then the age bounds what is remembered.
			_, _ = tracked.informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
				AddFunc:    func(object any) { o.seen(kind, object) },
				UpdateFunc: func(_, object any) { o.seen(kind, object) },
				DeleteFunc: func(object any) { o.ended(kind, object) },
			})
		})
	}
	return func() {
		if o.busy.Add(-1) > 0 {
			return
		}
		o.locked.Lock()
		defer o.locked.Unlock()
		if o.busy.Load() == 0 {
			clear(o.locked.gone)
		}
	}
}

// remember notes a write, unless a newer one is noted or the object is known to be gone already.
func (o *overlay) remember(key writeKey, w write) {
	w.at = o.clock.Now()
	o.locked.Lock()
	defer o.locked.Unlock()
	o.sweep(w.at)
	if _, gone := o.locked.gone[w.uid]; gone {
		return
	}
	former, found := o.locked.writes[key]
	switch {
	case !found:
	case w.deleted && (w.uid == "" || former.uid == "" || w.uid == former.uid):
		w.object, w.version, w.hidden, w.uid = former.object, former.version, former.hidden, cmp.Or(w.uid, former.uid)
	case w.deleted && former.object != nil, !w.deleted && former.object != nil && reached(former.version, w.version):
		return // the object that was deleted, or the answer that came late, is older than what is known
	case former.deleted && former.uid == w.uid:
		w.deleted = true // an answer that was on its way when the deletion was
	}
	o.locked.writes[key] = w
	o.size.Store(int64(len(o.locked.writes)))
}

// find returns what is remembered about one object.
func (o *overlay) find(key writeKey) (write, bool) {
	now := o.clock.Now()
	o.locked.Lock()
	defer o.locked.Unlock()
	o.sweep(now)
	w, found := o.locked.writes[key]
	return w, found && now.Sub(w.at) < overlayAge
}

// of returns what is remembered about a kind in a namespace, "" for all.
func (o *overlay) of(kind declaration, namespace string) map[client.ObjectKey]write {
	now := o.clock.Now()
	o.locked.Lock()
	defer o.locked.Unlock()
	o.sweep(now)
	var found map[client.ObjectKey]write
	for key, w := range o.locked.writes {
		if key.kind != kind || namespace != "" && key.name.Namespace != namespace || now.Sub(w.at) >= overlayAge {
			continue
		}
		if found == nil {
			found = map[client.ObjectKey]write{}
		}
		found[key.name] = w
	}
	return found
}

// drop forgets a write, unless another one has replaced it.
func (o *overlay) drop(key writeKey, w write) {
	o.locked.Lock()
	defer o.locked.Unlock()
	if now, found := o.locked.writes[key]; found && now.version == w.version && now.deleted == w.deleted &&
		now.at.Equal(w.at) {
		o.forget(key)
	}
}

// forget needs the lock.
func (o *overlay) forget(key writeKey) {
	delete(o.locked.writes, key)
	o.size.Store(int64(len(o.locked.writes)))
}

// sweep forgets what is too old, at most once a second. It needs the lock.
func (o *overlay) sweep(now time.Time) {
	if now.Sub(o.locked.swept) < time.Second {
		return
	}
	o.locked.swept = now
	for key, w := range o.locked.writes {
		if now.Sub(w.at) >= overlayAge {
			o.forget(key)
		}
	}
	if len(o.locked.gone) < maxGone {
		return
	}
	for uid, at := range o.locked.gone {
		if now.Sub(at) >= overlayAge {
			delete(o.locked.gone, uid)
		}
	}
}

// seen is told of each object that an informer has taken up.
func (o *overlay) seen(kind declaration, told any) {
	object, isObject := told.(client.Object)
	if !isObject || o.size.Load() == 0 {
		return
	}
	key := writeKey{kind, client.ObjectKeyFromObject(object)}
	o.locked.Lock()
	defer o.locked.Unlock()
	if w, found := o.locked.writes[key]; found && w.settled(object) {
		o.forget(key)
	}
}

// ended is told of each object that an informer has dropped.
func (o *overlay) ended(kind declaration, told any) {
	if last, isTombstone := told.(toolscache.DeletedFinalStateUnknown); isTombstone {
		told = last.Obj
	}
	object, isObject := told.(client.Object)
	if !isObject || o.size.Load() == 0 && o.busy.Load() == 0 {
		return
	}
	key := writeKey{kind, client.ObjectKeyFromObject(object)}
	o.locked.Lock()
	defer o.locked.Unlock()
	if o.busy.Load() > 0 {
		o.locked.gone[object.GetUID()] = o.clock.Now()
	}
	w, found := o.locked.writes[key]
	isIt := w.uid == "" || w.uid == object.GetUID()
	if found && (isIt || w.object != nil && reached(object.GetResourceVersion(), w.version)) {
		o.forget(key)
	}
}

// settled reports whether an object of the cache has all of the write.
func (w write) settled(cached client.Object) bool {
	if w.object != nil && !reached(cached.GetResourceVersion(), w.version) {
		return false
	}
	if !w.deleted {
		return true
	}
	if w.uid != "" && w.uid != cached.GetUID() {
		return w.object != nil // a newer object of the same name
	}
	return cached.GetDeletionTimestamp() != nil
}

// resolve says what a reader gets: the cached object, a copy of the write, or nil for no object.
// cached is nil where the cache has none. A deleted object is shown as going, with a
// deletionTimestamp: whether finalizers hold it only the server knows.
func (w write) resolve(cached client.Object) client.Object {
	latest := w.object
	if cached != nil && (latest == nil || reached(cached.GetResourceVersion(), w.version)) {
		latest = cached
	}
	if latest == nil || w.hidden && latest != cached {
		return nil
	}
	another := w.uid != "" && w.uid != latest.GetUID()
	if going := w.deleted && !another && latest.GetDeletionTimestamp() == nil; latest == cached && !going {
		return cached
	}
	latest = latest.DeepCopyObject().(client.Object) //nolint:forcetypeassert // a copy has its original's type
	if w.deleted && !another && latest.GetDeletionTimestamp() == nil {
		at := metav1.NewTime(w.at)
		latest.SetDeletionTimestamp(&at)
	}
	return latest
}

// reached reports whether the first resourceVersion is not older than the second. Versions that
// cannot be compared are old unless they are equal.
func reached(has, want string) bool {
	order, err := resourceversion.CompareResourceVersion(has, want)
	if err != nil {
		return has == want
	}
	return order >= 0
}
