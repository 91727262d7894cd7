package integration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// heard collects the requests of one Source.
type heard struct {
	sync.Mutex
	requests map[string]int
}

func (h *heard) of(name string) error {
	h.Lock()
	defer h.Unlock()
	if h.requests[name] == 0 {
		return fmt.Errorf("%s was not heard of; %v was", name, h.requests)
	}
	return nil
}

func (h *heard) forget() {
	h.Lock()
	defer h.Unlock()
	clear(h.requests)
}

// listenTo starts a Source that tells of each object.
func (f *fixture) listenTo(ctx context.Context, object func(config string, o client.Object)) {
	f.t.Helper()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	f.t.Cleanup(queue.ShutDown)
	f.must(f.Source(clientmgr.EventHandler{Object: func(_ context.Context, config string,
		o client.Object) []reconcile.Request {
		object(config, o)
		return nil
	}}).Start(ctx, queue))
}

// listen starts a Source; object, where it is not nil, runs in its mapping.
func (f *fixture) listen(ctx context.Context, object func()) *heard {
	f.t.Helper()
	h := &heard{requests: map[string]int{}}
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	f.t.Cleanup(queue.ShutDown)
	request := func(name string) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
	}
	f.must(f.Source(clientmgr.EventHandler{
		Object: func(_ context.Context, config string, o client.Object) []reconcile.Request {
			if object != nil {
				object()
			}
			return request(config + "/" + o.GetName())
		},
		State: func(_ context.Context, config string) []reconcile.Request { return request(config) },
	}).Start(ctx, queue))
	go func() {
		for {
			item, shutdown := queue.Get()
			if shutdown {
				return
			}
			h.Lock()
			h.requests[item.Name]++
			h.Unlock()
			queue.Done(item)
		}
	}()
	return h
}

func TestSourceTellsOfPresentAndFutureClusters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	blocked := make(chan struct{})
	release := sync.OnceFunc(func() { close(blocked) })
	t.Cleanup(release)
	f.listen(t.Context(), func() { <-blocked }) // a consumer that hangs is nobody else's trouble

	proxy := f.proxy(east, false)
	f.config("east", f.admin(east, proxy.Addr()))
	f.connects("east")
	early := f.listen(t.Context(), nil)
	f.must(east.admin.Create(t.Context(), f.configMap("a")))
	eventually.Eventually(t, 20*time.Second, "the early source tells of east/a", func(context.Context) error {
		return early.of("east/a")
	})

	late := f.listen(t.Context(), nil)
	eventually.Eventually(t, 20*time.Second, "the late source tells of east/a", func(context.Context) error {
		return late.of("east/a")
	})
	f.config("west", f.admin(west, west.Addr()))
	eventually.Eventually(t, 20*time.Second, "the late source tells of west", func(context.Context) error {
		return late.of("west")
	})
	f.connects("west")
	f.must(west.admin.Create(t.Context(), f.configMap("b")))
	eventually.Eventually(t, 20*time.Second, "both sources tell of west/b", func(context.Context) error {
		return errors.Join(early.of("west/b"), late.of("west/b"))
	})

	early.forget()
	f.must(proxy.Set(faults.Fault{Kind: faults.Refuse}))
	f.reaches("east", clientmgr.Degraded, clientmgr.ReasonUnreachable)
	eventually.Eventually(t, 20*time.Second, "the early source tells of east", func(context.Context) error {
		return early.of("east")
	})
	early.forget()
	f.must(east.admin.Delete(t.Context(), f.configMap("a")))
	f.must(proxy.Set(faults.Fault{}))
	f.connects("east")
	eventually.Eventually(t, 20*time.Second, "the early source tells of east anew", func(context.Context) error {
		return errors.Join(early.of("east"), early.of("east/a"))
	})
	f.forget("west")
	eventually.Eventually(t, 20*time.Second, "the early source tells of west", func(context.Context) error {
		return early.of("west")
	})
	release()
}

func TestTwoConfigsOfOneClusterTellEachOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	kubeconfig := f.admin(east, east.Addr())
	f.config("one", kubeconfig)
	f.config("two", kubeconfig)
	f.config("three", f.admin(west, west.Addr()))
	for _, name := range []string{"one", "two", "three"} {
		f.connects(name)
	}
	shared := map[string][]string{}
	for _, state := range f.States() {
		shared[state.Config] = state.SharedWith
	}
	if diff := cmp.Diff(map[string][]string{"one": {"two"}, "two": {"one"}, "three": nil}, shared); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
