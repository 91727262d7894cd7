package clientmgr

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// DeclaredKind returns an object's kind where Options.Kinds has it in the object's form (typed,
// unstructured or metadata). Another kind is a *cache.ErrResourceNotCached: no cluster will ever
// cache it. An object that Options.Scheme does not know is an error, too. It does no I/O.
func (m *KubevirtClientManager) DeclaredKind(object client.Object) (schema.GroupVersionKind, error) {
	wanted, err := apiutil.GVKForObject(object, m.options.Scheme)
	if err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("declared kind: %w", err)
	}
	for _, kind := range m.options.Kinds {
		known, err := apiutil.GVKForObject(kind.Object, m.options.Scheme)
		if err == nil && known == wanted && formOf(kind.Object) == formOf(object) {
			return wanted, nil
		}
	}
	return schema.GroupVersionKind{}, &cache.ErrResourceNotCached{GVK: wanted}
}
