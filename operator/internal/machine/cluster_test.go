package machine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

var errConflict = apierrors.NewConflict(schema.GroupResource{Resource: "objects"}, "it", errors.New("another UID"))

// newCluster is a fake client that gives UIDs and keeps UID preconditions, as a server does and the
// fake client does not.
func (w *world) newCluster(name string, objects ...client.Object) client.Client {
	w.t.Helper()
	scheme := newScheme(w.t)
	// A plain tracker: the usual one keeps managed fields, at a hundred times the cost.
	tracker := testing.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	return fake.NewClientBuilder().WithScheme(scheme).WithObjectTracker(tracker).WithObjects(objects...).
		WithStatusSubresource(&vitistackv1alpha1.Machine{}, &vitistackv1alpha1.NetworkConfiguration{}).
		WithIndex(&vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object,
				opts ...client.GetOption) error {
				return w.do(callOf(c, name, "get", object), func() error {
					if m, ok := object.(*vitistackv1alpha1.Machine); ok && w.stale != nil {
						w.stale.DeepCopyInto(m)
						return nil
					}
					return c.Get(ctx, key, object, opts...)
				})
			},
			List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
				return w.do(callOf(c, name, "list", list), func() error { return c.List(ctx, list, opts...) })
			},
			Create: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.CreateOption) error {
				return w.do(callOf(c, name, "create", object), func() error { return create(ctx, c, object, opts...) })
			},
			Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch,
				opts ...client.PatchOption) error {
				return w.do(callOf(c, name, "patch", object), func() error { return c.Patch(ctx, object, patch, opts...) })
			},
			Delete: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteOption) error {
				return w.do(callOf(c, name, "delete", object), func() error { return remove(ctx, c, object, opts...) })
			},
			Update: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.UpdateOption) error {
				return c.Update(ctx, object, opts...) // only tests update
			},
			Apply: func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration,
				opts ...client.ApplyOption) error {
				u := object.(interface{ GetKind() string })
				return w.do(call{name, "apply", u.GetKind()}, func() error { return apply(ctx, c, object) })
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, object client.Object, patch client.Patch,
				opts ...client.SubResourcePatchOption) error {
				return w.do(callOf(c, name, "patch "+sub+" of", object), func() error {
					return c.SubResource(sub).Patch(ctx, object, patch, opts...)
				})
			},
		}).Build()
}

func callOf(c client.Client, cluster, verb string, object runtime.Object) call {
	kind, err := apiutil.GVKForObject(object, c.Scheme())
	if err != nil {
		return call{cluster, verb, fmt.Sprintf("%T", object)}
	}
	return call{cluster, verb, kind.Kind}
}

func create(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.CreateOption) error {
	if object.GetUID() == "" {
		object.SetUID(uuid.NewUUID())
	}
	if created := object.GetCreationTimestamp(); created.IsZero() {
		object.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	}
	return c.Create(ctx, object, opts...)
}

func remove(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteOption) error {
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	if options.Preconditions == nil || options.Preconditions.UID == nil {
		return fmt.Errorf("%s %s is deleted without its UID", object.GetObjectKind().GroupVersionKind().Kind,
			object.GetName())
	}
	there := object.DeepCopyObject().(client.Object)
	if err := c.Get(ctx, client.ObjectKeyFromObject(object), there); err != nil {
		return err
	}
	if there.GetUID() != *options.Preconditions.UID {
		return errConflict
	}
	return c.Delete(ctx, object, opts...)
}

// apply refuses what a server refuses: another UID, an old resourceVersion, and to create an object
// of a given UID. What it does not have is the memory of earlier applies, by which a server takes
// away what is no longer applied.
func apply(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration) error {
	wanted := object.(interface {
		GetName() string
		GetNamespace() string
		GetUID() types.UID
		GetResourceVersion() string
		GroupVersionKind() schema.GroupVersionKind
	})
	there := &unstructured.Unstructured{}
	there.SetGroupVersionKind(wanted.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKey{Namespace: wanted.GetNamespace(), Name: wanted.GetName()}, there)
	switch {
	case apierrors.IsNotFound(err):
		return errConflict
	case err != nil:
		return err
	case wanted.GetUID() != there.GetUID() || wanted.GetResourceVersion() != there.GetResourceVersion():
		return errConflict
	}
	content, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return c.Patch(ctx, there, client.RawPatch(types.MergePatchType, content))
}

// newMachine is the Machine web as a server has it, changed as said.
func newMachine(change ...func(*vitistackv1alpha1.Machine)) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: webKey.Namespace, Name: webKey.Name, UID: machineUID, Generation: 1,
			CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
		},
		Spec: vitistackv1alpha1.MachineSpec{InstanceType: "medium"},
	}
	for _, each := range change {
		each(m)
	}
	return m
}

// annotated sets annotations, given as key, value, key, value.
func annotated(pairs ...string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		if m.Annotations == nil {
			m.Annotations = map[string]string{}
		}
		for i := 0; i < len(pairs); i += 2 {
			m.Annotations[pairs[i]] = pairs[i+1]
		}
	}
}

// in asks for a cluster by the annotation.
func in(config string) func(*vitistackv1alpha1.Machine) { return annotated(annotationRef, config) }

func keyOf(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }
