package clusters

import (
	"context"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// remoteCache holds the declared kinds of one connection.
type remoteCache struct {
	cache     cache.Cache
	declared  declared
	feed      *feed
	informers []cache.Informer // those of the feed, which hold what is packed
	synced    chan struct{}    // closed once every kind has synced
	stopped   chan struct{}    // closed when the last informer has ended

	coverage coverage
	stock    *stock
}

// startCache makes and starts the cache of the declared kinds. It asks the server for their
// resources, each call bounded by Options.Calls.Timeout; a kind without one is ErrKindNotServed.
// counted is told of each list.
func (c *connection) startCache(counted func(resource string), wake func()) (*remoteCache, error) {
	if err := c.served(); err != nil {
		return nil, err
	}
	r := &remoteCache{declared: declared{}, feed: &feed{cluster: c.name}, synced: make(chan struct{}),
		stopped: make(chan struct{})}
	for _, kind := range c.options.kinds {
		r.declared[kind.declaration] = struct{}{}
	}
	r.coverage.clock, r.coverage.wake, r.coverage.want = c.options.Clock, wake, len(r.declared)
	r.stock = newStock(c.options.Fill, c.options.Clock, r.isSynced, r.stores, wake)
	background := rest.CopyConfig(c.rest)
	background.Transport = r.observe(c.background, counted)
	background.RateLimiter = nil
	options := cache.Options{
		HTTPClient: &http.Client{Transport: background.Transport, CheckRedirect: noRedirect},
		Scheme:     c.options.Scheme, Mapper: c.direct.RESTMapper(),
		SyncPeriod: new(time.Duration(0)), ReaderFailOnMissingInformer: true, DefaultWatchErrorHandler: quietly,
	}
	declare(c.options.kinds, c.options.Scheme, &options)
	var err error
	r.cache, err = cache.New(background, options)
	if err != nil {
		return nil, kindError(err)
	}
	for _, kind := range c.options.kinds {
		informer, err := r.cache.GetInformer(c.life, kind.object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, kindError(err)
		}
		r.informers = append(r.informers, informer)
		r.feed.informers = append(r.feed.informers, newFanOut(informer))
	}
	go func() {
		defer close(r.stopped)
		_ = r.cache.Start(c.life) // its only error is being started twice
	}()
	go func() {
		if r.cache.WaitForCacheSync(c.life) {
			close(r.synced)
			wake()
		}
	}()
	return r, nil
}

// strip drops managedFields, the largest part of many objects, packs what is left, and then
// transforms. What is no object of an API server's is refused.
func strip(transform toolscache.TransformFunc) toolscache.TransformFunc {
	bare := cache.TransformStripManagedFields()
	return func(object any) (any, error) {
		if _, done := object.(Packed); done {
			return object, nil // a list comes by here once more on its way into the cache
		}
		object, err := bare(object)
		if err != nil {
			return nil, err
		}
		if o, isObject := object.(client.Object); isObject && (o.GetName() == "" || !isUID(o.GetUID())) {
			return nil, errNoAnswer // and the cache does not sync with it
		}
		if object = pack(object); transform == nil {
			return object, nil
		}
		return transform(object)
	}
}

// pack returns a copy without slack: a decoder leaves room for four elements in the shortest list,
// and the lists of some kinds have large ones.
func pack(object any) any {
	if o, isObject := object.(client.Object); isObject && formOf(o) == typed {
		return o.DeepCopyObject()
	}
	return object
}

// filled waits until every kind has synced, for at most so long.
func (r *remoteCache) filled(ctx context.Context, clock clock.WithDelayedExecution, atMost time.Duration) {
	timer := clock.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-r.synced:
	case <-timer.C():
	case <-ctx.Done():
	}
}

func (r *remoteCache) isSynced() bool {
	select {
	case <-r.synced:
		return true
	default:
		return false
	}
}

// observe looks at the requests that fill the cache: counted is told of each that reads a whole
// collection (a list, or a watch that begins with one), and coverage of what comes of them.
func (r *remoteCache) observe(next http.RoundTripper, counted func(resource string)) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		query := req.URL.Query()
		watch := transport.IsWatch(req)
		resource := resourceOf(req.URL.Path)
		if whole := !watch && query.Get("continue") == ""; whole || query.Get("sendInitialEvents") == "true" {
			counted(resource)
		}
		resp, err := next.RoundTrip(req)
		switch {
		case err == nil:
			late := func() { r.coverage.answered(resource, true, noAnswer) }
			resp.Body = r.stock.body(req, resp, late)
			r.coverage.answered(resource, watch, resp.StatusCode)
			if watch && resp.StatusCode == http.StatusOK {
				resp.Body = r.coverage.body(resp.Body)
			}
		case req.Context().Err() == nil:
			r.coverage.answered(resource, watch, noAnswer)
		}
		return resp, err
	})
}

// resourceOf is what the path of a collection is of: "configmaps", "virtualmachines.kubevirt.io".
func resourceOf(path string) string {
	plural := path[strings.LastIndexByte(path, '/')+1:]
	rest, hasGroup := strings.CutPrefix(path, "/apis/")
	if group, _, found := strings.Cut(rest, "/"); hasGroup && found {
		return schema.GroupResource{Group: group, Resource: plural}.String()
	}
	return plural
}

// stores are those of the informers.
func (r *remoteCache) stores() []toolscache.Store {
	stores := make([]toolscache.Store, 0, len(r.informers))
	for _, informer := range r.informers {
		if store := storeOf(informer); store != nil {
			stores = append(stores, store)
		}
	}
	return stores
}

// storeOf is what an informer holds, nil where it does not show it. controller-runtime's have a
// store, behind a narrower interface.
func storeOf(informer cache.Informer) toolscache.Store {
	if has, ok := informer.(interface{ GetStore() toolscache.Store }); ok {
		return has.GetStore()
	}
	return nil
}

// quietly keeps client-go from logging errors that tell addresses. What matters is in the State.
func quietly(context.Context, *toolscache.Reflector, error) {}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
