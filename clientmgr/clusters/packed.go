package clusters

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Packed is a small form of an object. A Transform of Options.Kinds may return one in place of the
// object itself: the cache holds it, and whoever reads, or is told of an event, gets what Unpack
// returns. Reading with UnsafeDisableDeepCopy fails for such a kind.
//
// It has the metadata of the object, by which it is found and selected, and its DeepCopyObject
// returns what Unpack returns: that is how a cache hands out what it holds.
type Packed interface {
	client.Object
	// Unpack returns an object of the kind's own type that is the caller's to change. It is called at
	// the same time by many.
	Unpack() runtime.Object
}

// whole returns the object of a packed one, and anything else as it is.
func whole(object any) any {
	switch packed := object.(type) {
	case Packed:
		return packed.Unpack()
	case toolscache.DeletedFinalStateUnknown:
		packed.Obj = whole(packed.Obj)
		return packed
	default:
		return object
	}
}

// wholeInformer is an informer whose handlers are told of whole objects.
type wholeInformer struct{ cache.Informer }

func (i wholeInformer) AddEventHandler(
	handler toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.Informer.AddEventHandler(wholeHandler{handler})
}

func (i wholeInformer) AddEventHandlerWithResyncPeriod(
	handler toolscache.ResourceEventHandler, period time.Duration,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.Informer.AddEventHandlerWithResyncPeriod(wholeHandler{handler}, period)
}

func (i wholeInformer) AddEventHandlerWithOptions(
	handler toolscache.ResourceEventHandler, options toolscache.HandlerOptions,
) (toolscache.ResourceEventHandlerRegistration, error) {
	return i.Informer.AddEventHandlerWithOptions(wholeHandler{handler}, options)
}

// AddIndexers adds indexers that are asked about whole objects.
func (i wholeInformer) AddIndexers(indexers toolscache.Indexers) error {
	asked := make(toolscache.Indexers, len(indexers))
	for name, index := range indexers {
		asked[name] = func(object any) ([]string, error) { return index(whole(object)) }
	}
	return i.Informer.AddIndexers(asked)
}

// wholeHandler tells another handler of whole objects.
type wholeHandler struct {
	to toolscache.ResourceEventHandler
}

func (h wholeHandler) OnAdd(object any, initial bool) { h.to.OnAdd(whole(object), initial) }
func (h wholeHandler) OnUpdate(before, after any)     { h.to.OnUpdate(whole(before), whole(after)) }
func (h wholeHandler) OnDelete(object any)            { h.to.OnDelete(whole(object)) }
