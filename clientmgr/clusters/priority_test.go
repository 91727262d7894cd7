package clusters

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// listed is an informer that has one object from the beginning and shows another one later.
type listed struct {
	cache.Informer
	handlers []toolscache.ResourceEventHandler
}

// AddEventHandler implements cache.Informer.
func (l *listed) AddEventHandler(
	added toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	l.handlers = append(l.handlers, added)
	added.OnAdd(named("listed"), true)
	return nil, nil
}

// RemoveEventHandler implements cache.Informer.
func (l *listed) RemoveEventHandler(toolscache.ResourceEventHandlerRegistration) error { return nil }

func named(name string) client.Object {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "1"}}
}

func requestFor(name string) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
}

// TestWhatCanWait: what a cluster has when it connects, and what its handler puts into the backlog,
// can wait; everything else cannot.
func TestWhatCanWait(t *testing.T) {
	queue := priorityqueue.New[reconcile.Request]("")
	defer queue.ShutDown()
	hub, informer := &Hub{}, &listed{}
	err := hub.Source(EventHandler{
		Object: func(_ context.Context, _ string, object client.Object) []reconcile.Request {
			return requestFor(object.GetName())
		},
		State:   func(context.Context, string) []reconcile.Request { return requestFor("unplaced") },
		Backlog: func(context.Context, string) []reconcile.Request { return requestFor("placed") },
	}).Start(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.add(&feed{cluster: "east", informers: []cache.Informer{informer}}); err != nil {
		t.Fatal(err)
	}
	for _, each := range informer.handlers {
		each.OnAdd(named("new"), false)
	}
	hub.StateChanged("east")
	got := map[string]int{}
	for range 4 {
		request, priority, _ := queue.GetWithPriority()
		got[request.Name] = priority
		queue.Done(request)
	}
	want := map[string]int{"listed": handler.LowPriority, "new": 0, "unplaced": 0, "placed": handler.LowPriority}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("priorities: -want +got:\n%s", diff)
	}
}
