package clusters

import (
	"cmp"
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/meta"
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
	if err != nil {
		return err
	}
	if list.GetResourceVersion() == "" {
		_ = meta.SetList(list, nil) // what is in it is nobody's word
		return errNoAnswer
	}
	return nil
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
	if object.GetUID() == "" || name == "" || object.GetName() != name || elsewhere {
		return errNoAnswer
	}
	return nil
}
