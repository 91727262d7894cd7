package clusters

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	fcache "k8s.io/client-go/tools/cache/testing"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// counting is a real informer that counts its listeners.
type counting struct {
	toolscache.SharedIndexInformer
	listeners int // a fanOut calls with its lock held
}

func (c *counting) AddEventHandler(
	added toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	c.listeners++
	return c.SharedIndexInformer.AddEventHandler(added)
}

func (c *counting) RemoveEventHandler(removed toolscache.ResourceEventHandlerRegistration) error {
	c.listeners--
	return c.SharedIndexInformer.RemoveEventHandler(removed)
}

// told is a handler that takes down what it is told of.
type told struct {
	mu   sync.Mutex
	what []string
	hang chan struct{} // nil does not
}

func (h *told) note(format string, args ...any) {
	if h.hang != nil {
		<-h.hang
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.what = append(h.what, fmt.Sprintf(format, args...))
}

func (h *told) OnAdd(object any, first bool) {
	h.note("add %s %t", object.(client.Object).GetName(), first)
}

func (h *told) OnUpdate(before, now any) {
	h.note("update %s %s %s", now.(client.Object).GetName(), before.(*corev1.ConfigMap).Data["v"],
		now.(*corev1.ConfigMap).Data["v"])
}

func (h *told) OnDelete(object any) { h.note("delete %s", object.(client.Object).GetName()) }

// hears waits until it was told of exactly this, in this order.
func (h *told) hears(t *testing.T, want ...string) {
	t.Helper()
	eventually.Eventually(t, 10*time.Second, "the handler is told", func(context.Context) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if diff := cmp.Diff(want, h.what); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
}

// TestFanOut: the handlers of an informer share one listener. A handler that is added late is told
// once of each object, a handler that hangs delays no other one, and a removed handler is told of
// nothing.
func TestFanOut(t *testing.T) {
	source := fcache.NewFakeControllerSource()
	t.Cleanup(source.Shutdown)
	source.Add(configMap("there", "1"))
	informer := &counting{SharedIndexInformer: toolscache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0,
		toolscache.Indexers{})}
	go informer.RunWithContext(t.Context())
	eventually.Eventually(t, 10*time.Second, "the informer syncs", func(context.Context) error {
		if !informer.HasSynced() {
			return errors.New("it has not")
		}
		return nil
	})

	fan := newFanOut(informer)
	early, hung, late := &told{}, &told{hang: make(chan struct{})}, &told{}
	add := func(handler *told) toolscache.ResourceEventHandlerRegistration {
		t.Helper()
		registration, err := fan.AddEventHandler(handler)
		if err != nil {
			t.Fatal(err)
		}
		return registration
	}
	leaves := add(early)
	add(hung)
	early.hears(t, "add there true")
	source.Modify(configMap("there", "2"))
	early.hears(t, "add there true", "update there 1 2")
	registration := add(late)
	late.hears(t, "add there true")
	source.Add(configMap("new", "1"))
	late.hears(t, "add there true", "add new false")
	if informer.listeners != 1 {
		t.Errorf("three handlers have %d listeners", informer.listeners)
	}

	early.hears(t, "add there true", "update there 1 2", "add new false")
	remove := func(leaves toolscache.ResourceEventHandlerRegistration) {
		t.Helper()
		if err := fan.RemoveEventHandler(leaves); err != nil {
			t.Fatal(err)
		}
	}
	remove(leaves)
	source.Delete(configMap("there", "2"))
	late.hears(t, "add there true", "add new false", "delete there")
	early.hears(t, "add there true", "update there 1 2", "add new false")
	close(hung.hang)
	hung.hears(t, "add there true", "update there 1 2", "add new false", "delete there")

	remove(registration)
	remove(leaves) // twice is once
	if informer.listeners != 1 {
		t.Errorf("one handler has %d listeners", informer.listeners)
	}
}

// TestFanOutOfAStoppedInformer: a stopped informer refuses handlers, so that the connection is made
// anew.
func TestFanOutOfAStoppedInformer(t *testing.T) {
	source := fcache.NewFakeControllerSource()
	t.Cleanup(source.Shutdown)
	informer := toolscache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, toolscache.Indexers{})
	ctx, stop := context.WithCancel(t.Context())
	fan := newFanOut(informer)
	if _, err := fan.AddEventHandler(&told{}); err != nil {
		t.Fatal(err)
	}
	stop()
	informer.RunWithContext(ctx)
	if registration, err := fan.AddEventHandler(&told{}); err == nil {
		t.Errorf("a stopped informer took a handler: %v", registration)
	}
}

// TestGathering: what a cluster shows while it connects wakes each Machine once.
func TestGathering(t *testing.T) {
	queue := priorityqueue.New[reconcile.Request]("")
	defer queue.ShutDown()
	hub, informers := &Hub{}, []cache.Informer{&listed{}, &listed{}, &listed{}}
	err := hub.Source(EventHandler{
		Object:  func(context.Context, string, client.Object) []reconcile.Request { return requestFor("web") },
		Backlog: func(context.Context, string) []reconcile.Request { return requestFor("web") },
	}).Start(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}
	hub.StateChanged("east")
	if err := hub.add(&feed{cluster: "east", informers: informers}); err != nil {
		t.Fatal(err)
	}
	hub.StateChanged("east")
	woken := make(chan struct{}, 8)
	go func() { // a worker that is never busy
		for {
			request, _, shutdown := queue.GetWithPriority()
			if shutdown {
				return
			}
			queue.Done(request)
			woken <- struct{}{}
		}
	}()
	<-woken
	select {
	case <-woken:
		t.Error("it was woken twice")
	case <-time.After(3 * gatherTime):
	}
}
