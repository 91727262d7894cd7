package clusters

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// form is how an object is represented; each form has a cache of its own.
type form int

const (
	typed form = iota
	unstructuredForm
	metadataForm
)

func formOf(object runtime.Object) form {
	switch object.(type) {
	case runtime.Unstructured:
		return unstructuredForm
	case *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList:
		return metadataForm
	default:
		return typed
	}
}

// declared tells which kind in which form is cached.
type declared map[declaration]struct{}

type declaration struct {
	kind schema.GroupVersionKind
	form form
}

// remoteClient is the client that is handed out for one connection. Each call first looks whether
// the connection is still to be trusted, so that whoever holds the client for long learns of it
// too.
type remoteClient struct {
	gate     func() error // nil while calls may go through; does no I/O
	called   called
	direct   client.Client
	cached   client.Reader // nil: everything is read from the server
	declared declared
	failed   func()   // told of each call that shows that contact may be lost
	breaker  *breaker // of live looks; nil where each call goes out
}

var _ client.Client = (*remoteClient)(nil)

// Translated returns a client whose errors are those that a Manager's clients have: for a fake that
// stands in for one. remote may be nil, and may be translated already.
func Translated(noun, name string, remote client.Client) client.Client {
	if _, already := remote.(*remoteClient); already || remote == nil {
		return remote
	}
	return &remoteClient{
		called: called{noun, name}, direct: remote, gate: func() error { return nil }, failed: func() {},
	}
}

// do runs a call if the gate is open, and translates its error.
func (r *remoteClient) do(call func() error) error {
	if err := r.gate(); err != nil {
		return err
	}
	err := callError(r.called, r.breaker.guard(r.called, call))
	if errors.Is(err, ErrNotConnected) && !errors.Is(err, ErrBusy) && !errors.Is(err, context.Canceled) {
		r.failed()
	}
	return err
}

func (r *remoteClient) reader(object runtime.Object, list bool) client.Reader {
	if r.cached == nil {
		return r.direct
	}
	kind, err := apiutil.GVKForObject(object, r.direct.Scheme())
	if err != nil {
		return r.direct // which then says so
	}
	if list {
		kind.Kind = kind.Kind[:max(0, len(kind.Kind)-len("List"))]
	}
	if _, found := r.declared[declaration{kind: kind, form: formOf(object)}]; found {
		return r.cached
	}
	return r.direct
}

func (r *remoteClient) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	return r.do(func() error { return r.reader(object, false).Get(ctx, key, object, opts...) })
}

func (r *remoteClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return r.do(func() error { return r.reader(list, true).List(ctx, list, opts...) })
}

func (r *remoteClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return r.do(func() error { return r.direct.Create(ctx, object, opts...) })
}

func (r *remoteClient) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	return r.do(func() error { return r.direct.Delete(ctx, object, opts...) })
}

func (r *remoteClient) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	return r.do(func() error { return r.direct.Update(ctx, object, opts...) })
}

func (r *remoteClient) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption,
) error {
	return r.do(func() error { return r.direct.Patch(ctx, object, patch, opts...) })
}

func (r *remoteClient) Apply(ctx context.Context, object runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	return r.do(func() error { return r.direct.Apply(ctx, object, opts...) })
}

func (r *remoteClient) DeleteAllOf(ctx context.Context, object client.Object, opts ...client.DeleteAllOfOption) error {
	return r.do(func() error { return r.direct.DeleteAllOf(ctx, object, opts...) })
}

func (r *remoteClient) Status() client.SubResourceWriter { return r.SubResource("status") }

func (r *remoteClient) SubResource(name string) client.SubResourceClient {
	return &remoteSubResource{remote: r, direct: r.direct.SubResource(name)}
}

func (r *remoteClient) Scheme() *runtime.Scheme     { return r.direct.Scheme() }
func (r *remoteClient) RESTMapper() meta.RESTMapper { return r.direct.RESTMapper() }

func (r *remoteClient) GroupVersionKindFor(object runtime.Object) (schema.GroupVersionKind, error) {
	return r.direct.GroupVersionKindFor(object)
}

func (r *remoteClient) IsObjectNamespaced(object runtime.Object) (bool, error) {
	return r.direct.IsObjectNamespaced(object)
}

// remoteSubResource is remoteClient for one subresource.
type remoteSubResource struct {
	remote *remoteClient
	direct client.SubResourceClient
}

func (s *remoteSubResource) Get(
	ctx context.Context, object, sub client.Object, opts ...client.SubResourceGetOption,
) error {
	return s.remote.do(func() error { return s.direct.Get(ctx, object, sub, opts...) })
}

func (s *remoteSubResource) Create(
	ctx context.Context, object, sub client.Object, opts ...client.SubResourceCreateOption,
) error {
	return s.remote.do(func() error { return s.direct.Create(ctx, object, sub, opts...) })
}

func (s *remoteSubResource) Update(
	ctx context.Context, object client.Object, opts ...client.SubResourceUpdateOption,
) error {
	return s.remote.do(func() error { return s.direct.Update(ctx, object, opts...) })
}

func (s *remoteSubResource) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
) error {
	return s.remote.do(func() error { return s.direct.Patch(ctx, object, patch, opts...) })
}

func (s *remoteSubResource) Apply(
	ctx context.Context, object runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption,
) error {
	return s.remote.do(func() error { return s.direct.Apply(ctx, object, opts...) })
}
