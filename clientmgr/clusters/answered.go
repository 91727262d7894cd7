package clusters

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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
	err := heard(ctx, func(ctx context.Context) error { return a.Client.Get(ctx, key, object, opts...) })
	if err != nil {
		return err
	}
	return isObject(object, key.Namespace, key.Name)
}

func (a answeredClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	err := heard(ctx, func(ctx context.Context) error { return a.Client.List(ctx, list, opts...) })
	if err == nil && list.GetResourceVersion() == "" {
		err = errNoAnswer
	}
	if err != nil {
		_ = meta.SetList(list, nil) // what was read until then is nobody's word
	}
	return err
}

func (a answeredClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return written(ctx, object, func(ctx context.Context) error { return a.Client.Create(ctx, object, opts...) })
}

func (a answeredClient) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	return written(ctx, object, func(ctx context.Context) error { return a.Client.Update(ctx, object, opts...) })
}

func (a answeredClient) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption,
) error {
	return written(ctx, object, func(ctx context.Context) error { return a.Client.Patch(ctx, object, patch, opts...) })
}

// Apply checks what the server wrote back into the configuration.
func (a answeredClient) Apply(
	ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption,
) error {
	asked, unreadable := contentOf(configuration)
	call := func(ctx context.Context) error { return a.Client.Apply(ctx, configuration, opts...) }
	if err := heard(ctx, call); err != nil || unreadable != nil {
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

// SubResource checks what writes of the object itself return.
func (a answeredClient) SubResource(name string) client.SubResourceClient {
	return answeredSubResource{a.Client.SubResource(name)}
}

// answeredSubResource is answeredClient for one subresource. What has a body of its own, as an
// eviction has, may be answered with any kind.
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
	call := func(ctx context.Context) error { return a.SubResourceClient.Update(ctx, object, opts...) }
	if (&client.SubResourceUpdateOptions{}).ApplyOptions(opts).SubResourceBody != nil {
		return heard(ctx, call)
	}
	return written(ctx, object, call)
}

func (a answeredSubResource) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
) error {
	call := func(ctx context.Context) error { return a.SubResourceClient.Patch(ctx, object, patch, opts...) }
	if (&client.SubResourcePatchOptions{}).ApplyOptions(opts).SubResourceBody != nil {
		return heard(ctx, call)
	}
	return written(ctx, object, call)
}

func (a answeredSubResource) Apply(
	ctx context.Context, object runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption,
) error {
	return heard(ctx, func(ctx context.Context) error { return a.SubResourceClient.Apply(ctx, object, opts...) })
}

// written runs a write of an object, whose answer is that object. A review has no name and gets
// none: it is no object.
func written(ctx context.Context, object client.Object, call func(ctx context.Context) error) error {
	namespace, name := object.GetNamespace(), object.GetName()
	isReview := name == "" && object.GetGenerateName() == ""
	if err := heard(ctx, call); err != nil || isReview {
		return err
	}
	return isObject(object, namespace, cmp.Or(name, object.GetName()))
}

// isObject returns an error where an object is not the one that was asked for.
func isObject(object client.Object, namespace, name string) error {
	elsewhere := object.GetNamespace() != "" && object.GetNamespace() != namespace
	if !isUID(object.GetUID()) || name == "" || object.GetName() != name || elsewhere {
		return errNoAnswer
	}
	return nil
}

// maxUID is the most characters of a UID. An API server gives 36.
const maxUID = 128

// isUID says whether an API server may have given a UID. Callers write UIDs down, and compare what
// they find with them later (I16): a UID of spaces, or of a megabyte, is a record that nobody can read.
func isUID(uid types.UID) bool {
	foreign := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '.' && r != '_'
	}
	ends := strings.Trim(string(uid), "-._")
	return uid != "" && len(uid) <= maxUID && ends == string(uid) && !strings.ContainsFunc(string(uid), foreign)
}
