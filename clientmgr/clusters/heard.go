package clusters

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// heard runs a call. Its error is errNoAnswer where something answered, with no status, and
// client-go could not read the answer: client-go quotes all of it in its error, whatever it holds.
// An error from before the request went out is the caller's own and stays as it is.
func heard(ctx context.Context, call func(ctx context.Context) error) error {
	var answered atomic.Bool
	err := call(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotFirstResponseByte: func() { answered.Store(true) },
	}))
	var status apierrors.APIStatus
	if err == nil || !answered.Load() || errors.As(err, &status) {
		return err
	}
	return fmt.Errorf("%w: %w", errNoAnswer, err)
}

func (a answeredClient) Apply(
	ctx context.Context, object runtime.ApplyConfiguration, opts ...client.ApplyOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.Client.Apply(ctx, object, opts...) })
}

func (a answeredClient) Status() client.SubResourceWriter { return a.SubResource("status") }

func (a answeredClient) SubResource(name string) client.SubResourceClient {
	return answeredSubResource{a.Client.SubResource(name)}
}

// answeredSubResource is answeredClient for one subresource, whose answers may be of any kind.
type answeredSubResource struct{ client.SubResourceClient }

func (a answeredSubResource) Get(
	ctx context.Context, object, sub client.Object, opts ...client.SubResourceGetOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.SubResourceClient.Get(ctx, object, sub, opts...) })
}

func (a answeredSubResource) Create(
	ctx context.Context, object, sub client.Object, opts ...client.SubResourceCreateOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.SubResourceClient.Create(ctx, object, sub, opts...) })
}

func (a answeredSubResource) Update(
	ctx context.Context, object client.Object, opts ...client.SubResourceUpdateOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.SubResourceClient.Update(ctx, object, opts...) })
}

func (a answeredSubResource) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.SubResourceClient.Patch(ctx, object, patch, opts...) })
}

func (a answeredSubResource) Apply(
	ctx context.Context, object runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.SubResourceClient.Apply(ctx, object, opts...) })
}
