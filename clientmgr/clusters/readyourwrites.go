package clusters

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// NewReadYourWrites returns a client whose cached reads never show anything older than what this
// same client wrote. cached must read the given kinds from informers; each kind is given in the
// form that reads use (typed, unstructured or metadata). It fails where an informer cannot be had.
// It is safe for concurrent use.
//
// A write is remembered as the server returned it, until the informer reaches its resourceVersion,
// or tells that the object is gone, or for 30 s. Reads never wait for an informer, and no read
// costs a call. An object that this client deleted reads as going (with a deletionTimestamp) until
// the informer knows better.
//
// DeleteAllOf, subresources other than status, dry runs, and writes of metadata alone to a kind
// that is read whole are not remembered. A List by an index of the cache (a field selector on
// anything but name and namespace) is corrected in what it found, but nothing is added to it.
func NewReadYourWrites(
	cached client.Client, informers cache.Informers, scheme *runtime.Scheme, kinds ...client.Object,
) (client.Client, error) {
	o := newOverlay(scheme, clock.RealClock{})
	for _, object := range kinds {
		gvk, err := apiutil.GVKForObject(object, scheme)
		if err != nil {
			return nil, fmt.Errorf("kind of %T: %w", object, err)
		}
		informer, err := informers.GetInformer(context.Background(), object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("informer of %T: %w", object, err)
		}
		o.add(kind{declaration: declaration{kind: gvk, form: formOf(object)}, object: object}, informer, nil)
	}
	return &readYourWrites{recordingClient: recordingClient{Client: cached, overlay: o},
		reader: overlaidReader{cached, o}}, nil
}

// add makes the overlay correct reads of a kind. It must not be called once the overlay is in use.
func (o *overlay) add(kind kind, informer cache.Informer, transform toolscache.TransformFunc) {
	o.kinds[kind.declaration] = &overlaidKind{kind: kind, informer: informer, transform: transform}
}

// readYourWrites reads through the overlay and records what it writes.
type readYourWrites struct {
	recordingClient
	reader overlaidReader
}

func (r *readYourWrites) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	return r.reader.Get(ctx, key, object, opts...)
}

func (r *readYourWrites) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return r.reader.List(ctx, list, opts...)
}

// overlaidReader reads from a cache and corrects what is older than the overlay.
type overlaidReader struct {
	client.Reader
	overlay *overlay
}

// kindOf returns the overlaid kind of an object or of a list's items.
func (o *overlay) kindOf(object runtime.Object) (declaration, bool) {
	gvk, err := apiutil.GVKForObject(object, o.scheme)
	if err != nil {
		return declaration{}, false
	}
	if _, isList := object.(client.ObjectList); isList {
		gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	}
	kind := declaration{kind: gvk, form: formOf(object)}
	_, found := o.kinds[kind]
	return kind, found
}

func (r overlaidReader) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	if r.overlay.size.Load() == 0 {
		return r.Reader.Get(ctx, key, object, opts...)
	}
	kind, found := r.overlay.kindOf(object)
	if !found {
		return r.Reader.Get(ctx, key, object, opts...)
	}
	at := writeKey{kind, key}
	w, found := r.overlay.find(at) // before the cache is read: an event between the two must not hide both
	if !found {
		return r.Reader.Get(ctx, key, object, opts...)
	}
	err := r.Reader.Get(ctx, key, object, opts...)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	var cached client.Object
	if err == nil {
		cached = object
	}
	if cached != nil && w.settled(cached) {
		r.overlay.drop(at, w)
	}
	latest := w.resolve(cached)
	switch latest {
	case nil:
		return apierrors.NewNotFound(schema.GroupResource{Group: kind.kind.Group, Resource: kind.kind.Kind}, key.Name)
	case cached:
		return nil
	}
	return assign(object, latest)
}

// assign copies an object into one of the same type.
func assign(into, from client.Object) error {
	target, source := reflect.ValueOf(into).Elem(), reflect.ValueOf(from).Elem()
	if target.Type() != source.Type() {
		return fmt.Errorf("reading %T into %T", from, into)
	}
	target.Set(source)
	return nil
}

func (r overlaidReader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if r.overlay.size.Load() == 0 {
		return r.Reader.List(ctx, list, opts...)
	}
	kind, found := r.overlay.kindOf(list)
	if !found {
		return r.Reader.List(ctx, list, opts...)
	}
	options := (&client.ListOptions{}).ApplyOptions(opts)
	pending := r.overlay.of(kind, options.Namespace) // before the cache is read, as in Get
	if err := r.Reader.List(ctx, list, opts...); err != nil || len(pending) == 0 {
		return err
	}
	return r.correct(ctx, list, kind, options, pending)
}

// correct replaces the items that are older than a write, and adds and removes what the cache does
// not know of.
func (r overlaidReader) correct(
	ctx context.Context, list client.ObjectList, kind declaration, options *client.ListOptions,
	pending map[client.ObjectKey]write,
) error {
	items, err := meta.ExtractList(list)
	if err != nil {
		return fmt.Errorf("reading the list: %w", err)
	}
	corrected := make([]runtime.Object, 0, len(items)+len(pending))
	for _, item := range items {
		object, isObject := item.(client.Object)
		if !isObject {
			continue
		}
		key := client.ObjectKeyFromObject(object)
		w, found := pending[key]
		if !found {
			corrected = append(corrected, object)
			continue
		}
		delete(pending, key)
		if latest := w.resolve(object); latest != nil && (latest == object || matches(latest, options, true)) {
			corrected = append(corrected, latest)
		}
	}
	for key, w := range pending {
		latest, err := r.missed(ctx, kind, key, w)
		if err != nil {
			return err
		}
		if latest != nil && matches(latest, options, false) {
			corrected = append(corrected, latest)
		}
	}
	if limit := options.Limit; limit > 0 && int64(len(corrected)) > limit {
		corrected = corrected[:limit]
	}
	return meta.SetList(list, corrected)
}

// missed returns the latest version of a written object that a list did not have: the cache may not
// have it yet, or may have it with other labels.
func (r overlaidReader) missed(
	ctx context.Context, kind declaration, key client.ObjectKey, w write,
) (client.Object, error) {
	if w.object == nil {
		return nil, nil //nolint:nilnil // an object that was deleted, and which the list does not have
	}
	//nolint:forcetypeassert // of w.object's type
	object := reflect.New(reflect.TypeOf(w.object).Elem()).Interface().(client.Object)
	object.GetObjectKind().SetGroupVersionKind(kind.kind)
	err := r.Reader.Get(ctx, key, object)
	switch {
	case apierrors.IsNotFound(err):
		return w.resolve(nil), nil
	case err != nil:
		return nil, err
	}
	return w.resolve(object), nil
}

// matches reports whether a list with these options has an object. listed says that the cache's
// index has found an earlier version of it: that is believed where the index cannot be asked.
func matches(object client.Object, options *client.ListOptions, listed bool) bool {
	if options.LabelSelector != nil && !options.LabelSelector.Matches(labels.Set(object.GetLabels())) {
		return false
	}
	if options.FieldSelector == nil {
		return true
	}
	known := fields.Set{"metadata.name": object.GetName(), "metadata.namespace": object.GetNamespace()}
	for _, requirement := range options.FieldSelector.Requirements() {
		if !known.Has(requirement.Field) {
			return listed
		}
	}
	return options.FieldSelector.Matches(known)
}

// formsOf returns the forms in which a kind is read through the overlay.
func (o *overlay) formsOf(gvk schema.GroupVersionKind) []declaration {
	var kinds []declaration
	for _, f := range []form{typed, unstructuredForm, metadataForm} {
		if _, found := o.kinds[declaration{gvk, f}]; found {
			kinds = append(kinds, declaration{gvk, f})
		}
	}
	return kinds
}

// note remembers an object that the server returned, in the form that is read.
func (o *overlay) note(kind declaration, returned client.Object) {
	if returned.GetUID() == "" || returned.GetResourceVersion() == "" {
		return
	}
	object, ok := o.inForm(kind, returned)
	if !ok {
		return
	}
	tracked := o.kinds[kind]
	if tracked.transform != nil {
		kept, err := tracked.transform(object)
		if object, ok = whole(kept).(client.Object); err != nil || !ok {
			return
		}
	}
	o.remember(writeKey{kind, client.ObjectKeyFromObject(object)}, write{
		object: object, uid: object.GetUID(), version: object.GetResourceVersion(),
		hidden: !tracked.kind.holds(object),
	})
}

// inForm returns a copy of an object in another form. Metadata alone gives no whole object.
func (o *overlay) inForm(kind declaration, from client.Object) (client.Object, bool) {
	var to client.Object
	switch has := formOf(from); {
	case has == kind.form:
		to = from.DeepCopyObject().(client.Object) //nolint:forcetypeassert // a copy has its original's type
	case has == metadataForm:
		return nil, false
	case kind.form == metadataForm:
		to = meta.AsPartialObjectMetadata(from).DeepCopy()
	case kind.form == unstructuredForm:
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(from)
		if err != nil {
			return nil, false
		}
		to = &unstructured.Unstructured{Object: content}
	default:
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(from)
		made, newErr := o.scheme.New(kind.kind)
		o, isObject := made.(client.Object)
		if err != nil || newErr != nil || !isObject ||
			runtime.DefaultUnstructuredConverter.FromUnstructured(content, o) != nil {
			return nil, false
		}
		to = o
	}
	to.GetObjectKind().SetGroupVersionKind(kind.kind)
	return to, true
}
