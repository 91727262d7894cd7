package clusters

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// labelled is a transform that tells which one was called.
func labelled(by string) toolscache.TransformFunc {
	return func(object any) (any, error) {
		object.(client.Object).SetLabels(map[string]string{"by": by})
		return object, nil
	}
}

func TestKindsThatAreAlikeShareACache(t *testing.T) {
	mine, here := labels.SelectorFromSet(labels.Set{"a": "b"}), fields.OneTermEqualSelector("metadata.name", "a")
	cases := map[string]struct {
		reason     string
		one, other cache.ByObject
		shared     bool
	}{
		"nothing said": {reason: "there is nothing to tell them apart", shared: true},
		"same labels": {
			reason: "an equal selector selects the same, and each keeps its transform",
			one:    cache.ByObject{Label: mine, Transform: labelled("one")},
			other:  cache.ByObject{Label: labels.SelectorFromSet(labels.Set{"a": "b"})},
			shared: true,
		},
		"other labels": {reason: "a shared cache has one selector", one: cache.ByObject{Label: mine}},
		"other fields": {reason: "a shared cache has one selector", other: cache.ByObject{Field: here}},
		"namespaces": {
			reason: "a namespace can have a selector of its own",
			one:    cache.ByObject{Namespaces: map[string]cache.Config{"a": {}}},
			other:  cache.ByObject{Namespaces: map[string]cache.Config{"a": {}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			kinds, err := kindsOf(map[client.Object]cache.ByObject{&corev1.Pod{}: tc.one, &corev1.Secret{}: tc.other},
				scheme.Scheme)
			if err != nil {
				t.Fatal(err)
			}
			var got cache.Options
			declare(kinds, scheme.Scheme, &got)
			if shared := len(got.ByObject) == 0; shared != tc.shared {
				t.Errorf("%s: want shared %t, got %+v", tc.reason, tc.shared, got)
			}
			if tc.shared && (got.DefaultTransform == nil || got.DefaultLabelSelector != nil != (tc.one.Label != nil)) {
				t.Errorf("%s: the defaults say less: %+v", tc.reason, got)
			}
		})
	}
}

func TestSharedCacheTransformsEachKind(t *testing.T) {
	period := time.Hour
	kinds, err := kindsOf(map[client.Object]cache.ByObject{
		&corev1.Pod{}:    {Transform: labelled("pods"), SyncPeriod: &period},
		&corev1.Secret{}: {SyncPeriod: &period},
	}, scheme.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	var options cache.Options
	declare(kinds, scheme.Scheme, &options)
	if options.SyncPeriod != &period {
		t.Errorf("the period is lost: %+v", options)
	}
	managed := metav1.ObjectMeta{Name: "a", UID: "1", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}}
	loose := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{"name": "a", "uid": "1"}}}
	cases := map[string]struct {
		reason string
		object client.Object
		by     string
	}{
		"a kind with a transform": {reason: "it is that kind's", object: &corev1.Pod{ObjectMeta: managed}, by: "pods"},
		"a kind without":          {reason: "another kind's must not be used", object: &corev1.Secret{ObjectMeta: managed}},
		"another kind":            {reason: "a server may send what was not asked for", object: loose},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out, err := options.DefaultTransform(tc.object)
			if err != nil {
				t.Fatal(err)
			}
			got := out.(client.Object)
			if got.GetLabels()["by"] != tc.by || got.GetManagedFields() != nil {
				t.Errorf("%s: got %+v", tc.reason, got)
			}
		})
	}
}
