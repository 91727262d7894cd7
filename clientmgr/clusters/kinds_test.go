package clusters

import (
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestDeclaredKind(t *testing.T) {
	pods := corev1.SchemeGroupVersion.WithKind("Pod")
	metadata, loose := &metav1.PartialObjectMetadata{}, &unstructured.Unstructured{}
	metadata.SetGroupVersionKind(pods)
	loose.SetGroupVersionKind(pods)
	m, err := New(Options{
		Kinds: map[client.Object]cache.ByObject{metadata: {}}, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason    string
		object    client.Object
		found     bool
		notCached bool
	}{
		"declared form":     {reason: "the metadata of Pods is declared", object: metadata, found: true},
		"other form":        {reason: "each form has a cache of its own", object: loose, notCached: true},
		"typed form":        {reason: "nobody caches whole Pods", object: &corev1.Pod{}, notCached: true},
		"not declared":      {reason: "no cluster caches Secrets", object: &corev1.Secret{}, notCached: true},
		"not in the scheme": {reason: "nobody knows what it is", object: &unstructured.Unstructured{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			kind, err := m.DeclaredKind(tc.object)
			if (err == nil) != tc.found || tc.found && kind != pods {
				t.Errorf("%s: got %v, %v", tc.reason, kind, err)
			}
			if missing := (*cache.ErrResourceNotCached)(nil); errors.As(err, &missing) != tc.notCached {
				t.Errorf("%s: want ErrResourceNotCached %t, got %v", tc.reason, tc.notCached, err)
			}
		})
	}
}
