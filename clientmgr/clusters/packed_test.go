package clusters

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// small is a ConfigMap of which only the metadata is held.
type small struct{ metav1.ObjectMeta }

func (s *small) Unpack() runtime.Object {
	return &corev1.ConfigMap{ObjectMeta: *s.DeepCopy()}
}
func (s *small) DeepCopyObject() runtime.Object   { return s.Unpack() }
func (s *small) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// TestPackedStaysPacked: a list that streams is transformed twice on its way into a cache.
func TestPackedStaysPacked(t *testing.T) {
	packs := func(object any) (any, error) { return &small{object.(*corev1.ConfigMap).ObjectMeta}, nil }
	alone := map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {Transform: packs}}
	beside := map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {Transform: packs}, &corev1.Secret{}: {}}
	for _, declared := range []map[client.Object]cache.ByObject{alone, beside} {
		kinds, err := kindsOf(declared, scheme.Scheme)
		if err != nil {
			t.Fatal(err)
		}
		transforms := []toolscache.TransformFunc{transformOf(kinds, scheme.Scheme), kinds[0].stripped().Transform}
		for _, transform := range transforms {
			held := any(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "u"}})
			for range 3 {
				if held, err = transform(held); err != nil {
					t.Fatal(err)
				}
				if _, packed := held.(*small); !packed {
					t.Fatalf("of %d kinds: the cache would hold a %T", len(kinds), held)
				}
			}
		}
	}
}

func TestWholeHandler(t *testing.T) {
	held := &small{metav1.ObjectMeta{Name: "a"}}
	want := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}}
	var got []any
	h := wholeHandler{toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { got = append(got, o) },
		UpdateFunc: func(before, after any) { got = append(got, before, after) },
		DeleteFunc: func(o any) { got = append(got, o) },
	}}
	h.OnAdd(held, true)
	h.OnUpdate(held, held)
	h.OnDelete(held)
	h.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "a", Obj: held})
	h.OnAdd(want, false) // what is not packed
	if diff := cmp.Diff([]any{want, want, want, want, toolscache.DeletedFinalStateUnknown{Key: "a", Obj: want}, want},
		got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
