package clusters

import (
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// declare writes into a cache's options what it holds of the kinds. The library makes a cache
// within the cache for each kind in ByObject, with a codec and goroutines of its own. Kinds that
// differ in nothing but their transform need only one, which the defaults describe.
func declare(kinds []kind, scheme *runtime.Scheme, into *cache.Options) {
	if !alike(kinds) {
		into.ByObject = make(map[client.Object]cache.ByObject, len(kinds))
		for _, kind := range kinds {
			into.ByObject[kind.object] = kind.stripped()
		}
		return
	}
	by := kinds[0].by
	into.DefaultLabelSelector, into.DefaultFieldSelector = by.Label, by.Field
	into.DefaultUnsafeDisableDeepCopy, into.DefaultEnableWatchBookmarks = by.UnsafeDisableDeepCopy, by.EnableWatchBookmarks
	into.DefaultTransform = transformOf(kinds, scheme)
	if by.SyncPeriod != nil {
		into.SyncPeriod = by.SyncPeriod
	}
}

// alike reports whether the kinds are selected alike in all namespaces.
func alike(kinds []kind) bool {
	if len(kinds) == 0 || len(kinds[0].by.Namespaces) > 0 {
		return false
	}
	selection := func(k kind) cache.ByObject {
		k.by.Transform = nil
		return k.by
	}
	first := selection(kinds[0])
	return !slices.ContainsFunc(kinds, func(k kind) bool { return !reflect.DeepEqual(selection(k), first) })
}

// transformOf returns the transform of all kinds together.
func transformOf(kinds []kind, scheme *runtime.Scheme) toolscache.TransformFunc {
	transforms := make(map[schema.GroupVersionKind]toolscache.TransformFunc, len(kinds))
	for _, kind := range kinds {
		transforms[kind.kind] = kind.stripped().Transform
	}
	bare := strip(nil)
	return func(object any) (any, error) {
		if typed, isObject := object.(client.Object); isObject {
			gvk, err := apiutil.GVKForObject(typed, scheme)
			if transform, declared := transforms[gvk]; err == nil && declared {
				return transform(object)
			}
		}
		return bare(object) // what a server sends that does not keep to what it is asked for
	}
}
