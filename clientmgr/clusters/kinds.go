package clusters

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// kind is one declared kind.
type kind struct {
	declaration

	object client.Object
	by     cache.ByObject
}

// kindsOf are the declared kinds, sorted. A cache holds each kind once: two forms of one would
// share the selector of either, by chance.
func kindsOf(declared map[client.Object]cache.ByObject, scheme *runtime.Scheme) ([]kind, error) {
	kinds := make([]kind, 0, len(declared))
	for object, by := range declared {
		gvk, err := apiutil.GVKForObject(object, scheme)
		if err != nil {
			return nil, fmt.Errorf("%w: declared kind: %w", ErrOptions, err)
		}
		kinds = append(kinds, kind{declaration{kind: gvk, form: formOf(object)}, object, by})
	}
	slices.SortFunc(kinds, func(a, b kind) int { return strings.Compare(a.kind.String(), b.kind.String()) })
	for i := range kinds[min(1, len(kinds)):] {
		if kinds[i].kind == kinds[i+1].kind {
			return nil, fmt.Errorf("%w: kind %s is declared twice", ErrOptions, kinds[i].kind)
		}
	}
	return kinds, nil
}

// DeclaredKind returns an object's kind where Options.Kinds has it in the object's form (typed,
// unstructured or metadata). Another kind is a *cache.ErrResourceNotCached: no cluster will ever
// cache it. An object that Options.Scheme does not know is an error, too. It does no I/O.
func (m *Manager) DeclaredKind(object client.Object) (schema.GroupVersionKind, error) {
	gvk, err := apiutil.GVKForObject(object, m.options.Scheme)
	if err != nil {
		return schema.GroupVersionKind{}, fmt.Errorf("declared kind: %w", err)
	}
	wanted := declaration{kind: gvk, form: formOf(object)}
	if !slices.ContainsFunc(m.options.kinds, func(k kind) bool { return k.declaration == wanted }) {
		return schema.GroupVersionKind{}, &cache.ErrResourceNotCached{GVK: gvk}
	}
	return gvk, nil
}

// served asks the server for the resource of each declared kind; its error names every kind that is
// not served.
func (c *connection) served() error {
	var missing []string
	for _, kind := range c.options.kinds {
		gvk := kind.kind
		_, err := c.direct.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
		switch {
		case meta.IsNoMatchError(err):
			missing = append(missing, gvk.GroupKind().String())
		case err != nil:
			return classify(err)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return notServed(slices.Compact(missing)...)
}

// notServed is the failure of a cluster that lacks the definitions of some kinds.
func notServed(kinds ...string) failure {
	return failure{ErrKindNotServed, ReasonKindNotServed, "the server does not serve a declared kind: " +
		strings.Join(kinds, ", ")}
}

// kindError is classify for what a REST mapper may say as well: a kind has gone since served was
// asked.
func kindError(err error) error {
	var noKind *meta.NoKindMatchError
	switch {
	case errors.As(err, &noKind):
		return notServed(noKind.GroupKind.String())
	case meta.IsNoMatchError(err):
		return failure{ErrKindNotServed, ReasonKindNotServed, "the server does not serve a declared kind"}
	default:
		return classify(err)
	}
}

// holds reports whether the cache of the kind has an object. What cannot be told without the server
// counts as held.
func (k kind) holds(object client.Object) bool {
	label, field := k.by.Label, k.by.Field
	if len(k.by.Namespaces) > 0 {
		config, found := k.by.Namespaces[object.GetNamespace()]
		if !found {
			config, found = k.by.Namespaces[cache.AllNamespaces]
		}
		if !found {
			return false
		}
		if config.LabelSelector != nil {
			label = config.LabelSelector
		}
		if config.FieldSelector != nil {
			field = config.FieldSelector
		}
	}
	return matches(object, &client.ListOptions{LabelSelector: label, FieldSelector: field}, true)
}

// stripped is the kind's part of a cache's options, with a Transform that drops first what nobody
// reads.
func (k kind) stripped() cache.ByObject {
	by := k.by
	by.Transform = strip(by.Transform)
	if len(by.Namespaces) > 0 {
		by.Namespaces = make(map[string]cache.Config, len(k.by.Namespaces))
		for name, config := range k.by.Namespaces {
			if config.Transform != nil {
				config.Transform = strip(config.Transform)
			}
			by.Namespaces[name] = config
		}
	}
	return by
}
