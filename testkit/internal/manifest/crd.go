package manifest

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	servedTimeout = time.Minute
	pollInterval  = 100 * time.Millisecond
)

// WaitServed waits until every kind that the cluster has a custom resource definition of can be
// used through c, in each version that is to be served: between the condition Established and the
// first answer lies a moment. It fails after a minute.
func WaitServed(ctx context.Context, c client.Client) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1",
		Kind: "CustomResourceDefinitionList"})
	if err := c.List(ctx, list); err != nil {
		return fmt.Errorf("listing custom resource definitions: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, servedTimeout)
	defer cancel()
	for _, crd := range list.Items {
		for _, kind := range kinds(crd) {
			if err := waitServed(ctx, c, kind); err != nil {
				return fmt.Errorf("%s is not served: %w", kind, err)
			}
		}
	}
	return nil
}

// waitServed waits until lists of kind are answered.
func waitServed(ctx context.Context, c client.Client, kind schema.GroupVersionKind) error {
	objects := &unstructured.UnstructuredList{}
	objects.SetGroupVersionKind(kind)
	var last error
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		last = c.List(ctx, objects, client.Limit(1))
		if meta.IsNoMatchError(last) || apierrors.IsNotFound(last) {
			return false, nil
		}
		return true, last
	})
	return errors.Join(err, last)
}

// kinds are those that a definition asks to be served.
func kinds(crd unstructured.Unstructured) []schema.GroupVersionKind {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	var served []schema.GroupVersionKind
	for _, each := range versions {
		version, ok := each.(map[string]any)
		if name, named := version["name"].(string); ok && named && version["served"] == true {
			served = append(served, schema.GroupVersionKind{Group: group, Version: name, Kind: kind})
		}
	}
	return served
}
