package multicluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	mc "sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	multicluster "github.com/vitistack/kubevirt-multicluster/clientmgr/multicluster"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

var errPassing = errors.New("this once")

// fakeClusters is a client manager whose connections are made by hand. It caches ConfigMaps.
type fakeClusters struct {
	*clientmgr.MockClientManager

	mu        sync.Mutex
	connected map[string]*fakeCluster
}

func newFakeClusters() *fakeClusters {
	return &fakeClusters{MockClientManager: clientmgr.NewMockClientManager(), connected: map[string]*fakeCluster{}}
}

// connect makes a new connection the current one of a name; the former one ends.
func (f *fakeClusters) connect(name string) *fakeCluster {
	made := &fakeCluster{over: make(chan struct{}), fields: map[string]bool{}}
	f.replace(name, made)
	return made
}

func (f *fakeClusters) disconnect(name string) { f.replace(name, nil) }

func (f *fakeClusters) replace(name string, next *fakeCluster) {
	f.mu.Lock()
	former := f.connected[name]
	delete(f.connected, name)
	if next != nil {
		f.connected[name] = next
	}
	f.mu.Unlock()
	if former != nil {
		close(former.over)
	}
	f.SetState(clientmgr.State{Config: name})
}

func (f *fakeClusters) Cluster(name string) (cluster.Cluster, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	found, there := f.connected[name]
	if !there {
		return nil, fmt.Errorf("%s: %w", name, clientmgr.ErrConfigNotFound)
	}
	return found, nil
}

func (f *fakeClusters) DeclaredKind(object client.Object) (schema.GroupVersionKind, error) {
	if _, declared := object.(*corev1.ConfigMap); !declared {
		return schema.GroupVersionKind{}, &cache.ErrResourceNotCached{GVK: corev1.SchemeGroupVersion.WithKind("Pod")}
	}
	return corev1.SchemeGroupVersion.WithKind("ConfigMap"), nil
}

// fakeCluster refuses an index that it has, as client-go does.
type fakeCluster struct {
	cluster.Cluster
	over chan struct{}

	mu     sync.Mutex
	fields map[string]bool
	fails  int // so many times it takes no index
}

func (c *fakeCluster) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-c.over:
	}
	return nil
}

func (c *fakeCluster) GetFieldIndexer() client.FieldIndexer { return c }

func (c *fakeCluster) IndexField(_ context.Context, _ client.Object, field string, _ client.IndexerFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails > 0 {
		c.fails--
		return errPassing
	}
	if c.fields[field] {
		return fmt.Errorf("indexer conflict: %s", field)
	}
	c.fields[field] = true
	return nil
}

func (c *fakeCluster) has() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var fields []string
	for field := range c.fields {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// awareness records engagements. The first calls fail.
type awareness struct {
	mu      sync.Mutex
	fails   int
	calls   int
	engaged map[string]context.Context
}

func (a *awareness) Engage(ctx context.Context, name mc.ClusterName, _ cluster.Cluster) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	if a.calls <= a.fails {
		return errPassing
	}
	if a.engaged == nil {
		a.engaged = map[string]context.Context{}
	}
	a.engaged[name.String()] = ctx
	return nil
}

// life is the context of a name's last engagement; nil for none.
func (a *awareness) life(name string) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.engaged[name]
}

func start(t *testing.T, provider *multicluster.Provider, aware mc.Aware) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- provider.Start(ctx, aware) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func engaged(t *testing.T, provider *multicluster.Provider, want ...mc.ClusterName) {
	t.Helper()
	engagedWithin(t, 20*time.Second, provider, want...)
}

func engagedWithin(t *testing.T, limit time.Duration, provider *multicluster.Provider, want ...mc.ClusterName) {
	t.Helper()
	eventually.Eventually(t, limit, "the clusters are engaged", func(context.Context) error {
		if got := provider.ClusterNames(); !slices.Equal(got, want) {
			return fmt.Errorf("want %v, got %v", want, got)
		}
		return nil
	})
}

func none(client.Object) []string { return nil }
