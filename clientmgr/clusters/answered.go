package clusters

import (
	"cmp"
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errNoAnswer is a call that something answered which is no API server: a gateway, a captive
// portal, a load balancer's page. It is silence, and never an absence.
var errNoAnswer = errors.New("the answer is not an API server's")

// answeredClient is a client whose answers are an API server's. client-go takes any JSON with
// status 200 for the object that was asked for: `{}` reads as an empty list, and as an object
// without a name. Here an object has the name that was asked for and a UID, and a list has a
// resourceVersion.
type answeredClient struct{ client.Client }

func (a answeredClient) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	if err := a.Client.Get(ctx, key, object, opts...); err != nil {
		return err
	}
	return isObject(object, key.Namespace, key.Name)
}

func (a answeredClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if err := a.Client.List(ctx, list, opts...); err != nil {
		return err
	}
	if list.GetResourceVersion() == "" {
		_ = meta.SetList(list, nil) // what is in it is nobody's word
		return errNoAnswer
	}
	return nil
}

func (a answeredClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return written(object, func() error { return a.Client.Create(ctx, object, opts...) })
}

func (a answeredClient) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	return written(object, func() error { return a.Client.Update(ctx, object, opts...) })
}

func (a answeredClient) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption,
) error {
	return written(object, func() error { return a.Client.Patch(ctx, object, patch, opts...) })
}

// Apply checks what the server wrote back into the configuration.
func (a answeredClient) Apply(
	ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption,
) error {
	asked, err := contentOf(configuration)
	if err != nil {
		return a.Client.Apply(ctx, configuration, opts...)
	}
	if err := a.Client.Apply(ctx, configuration, opts...); err != nil {
		return err
	}
	returned, err := contentOf(configuration)
	if err != nil {
		return errNoAnswer
	}
	return isObject(returned, asked.GetNamespace(), asked.GetName())
}

// Status is a SubResource.
func (a answeredClient) Status() client.SubResourceWriter { return a.SubResource("status") }

// SubResource checks what writes of the object itself return. What has a body of its own, as an
// eviction has, is no object.
func (a answeredClient) SubResource(name string) client.SubResourceClient {
	return answeredSubResource{a.Client.SubResource(name)}
}

type answeredSubResource struct{ client.SubResourceClient }

func (a answeredSubResource) Update(
	ctx context.Context, object client.Object, opts ...client.SubResourceUpdateOption,
) error {
	call := func() error { return a.SubResourceClient.Update(ctx, object, opts...) }
	if (&client.SubResourceUpdateOptions{}).ApplyOptions(opts).SubResourceBody != nil {
		return call()
	}
	return written(object, call)
}

func (a answeredSubResource) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
) error {
	call := func() error { return a.SubResourceClient.Patch(ctx, object, patch, opts...) }
	if (&client.SubResourcePatchOptions{}).ApplyOptions(opts).SubResourceBody != nil {
		return call()
	}
	return written(object, call)
}

// written runs a write of an object, whose answer is that object. A review has no name and gets
// none: it is no object.
func written(object client.Object, call func() error) error {
	namespace, name := object.GetNamespace(), object.GetName()
	isReview := name == "" && object.GetGenerateName() == ""
	if err := call(); err != nil || isReview {
		return err
	}
	return isObject(object, namespace, cmp.Or(name, object.GetName()))
}

// isObject returns an error where an object is not the one that was asked for.
func isObject(object client.Object, namespace, name string) error {
	elsewhere := object.GetNamespace() != "" && object.GetNamespace() != namespace
	if object.GetUID() == "" || name == "" || object.GetName() != name || elsewhere {
		return errNoAnswer
	}
	return nil
}
