package multicluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mc "sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	multicluster "github.com/vitistack/kubevirt-multicluster/clientmgr/multicluster"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestEngageIsTriedAgain has a story: a cluster that could not be engaged got its indexes a second
// time at the next try. A cache refuses that, so one failure shut the cluster out for good.
func TestEngageIsTriedAgain(t *testing.T) {
	cases := map[string]struct {
		reason      string
		fields      []string
		engageFails int
		indexFails  int
	}{
		"without indexes":   {reason: "a controller fails once", engageFails: 1},
		"with an index":     {reason: "the index of the first try is still there at the second", fields: []string{"a"}, engageFails: 1},
		"several times":     {reason: "each try finds all indexes there", fields: []string{"a", "b"}, engageFails: 4},
		"index fails":       {reason: "the cache takes the index at the second try", fields: []string{"a", "b"}, indexFails: 1},
		"both fail":         {reason: "one index, then none, then the engagement", fields: []string{"a", "b"}, indexFails: 2, engageFails: 2},
		"nothing fails":     {reason: "one call is enough", fields: []string{"a"}},
		"many indexes fail": {reason: "the back-off is short at first", fields: []string{"a", "b", "c"}, indexFails: 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			clusters, aware := newFakeClusters(), &awareness{fails: tc.engageFails}
			provider := multicluster.New(clusters, multicluster.Options{})
			for _, field := range tc.fields {
				if err := provider.IndexField(t.Context(), &corev1.ConfigMap{}, field, none); err != nil {
					t.Fatal(err)
				}
			}
			east := clusters.connect("east")
			east.mu.Lock()
			east.fails = tc.indexFails
			east.mu.Unlock()
			start(t, provider, aware)
			engaged(t, provider, "east")
			if diff := cmp.Diff(tc.fields, east.has()); diff != "" {
				t.Errorf("%s: indexes: -want +got:\n%s", tc.reason, diff)
			}
			if aware.calls != tc.engageFails+1 {
				t.Errorf("%s: want %d calls of Engage, got %d", tc.reason, tc.engageFails+1, aware.calls)
			}
		})
	}
}

func TestIndexField(t *testing.T) {
	type call struct {
		reason string
		object client.Object
		field  string
		want   string // what the error says; "" for none
	}
	calls := []call{
		{reason: "a kind that is cached can have an index", object: &corev1.ConfigMap{}, field: "a"},
		{reason: "no cluster will ever cache Pods, so waiting for one would hide that",
			object: &corev1.Pod{}, field: "a", want: "only kinds in clientmgr.Options.Kinds can have one"},
		{reason: "a cache refuses a second index of a name, in each cluster and for good",
			object: &corev1.ConfigMap{}, field: "a", want: "index a of ConfigMap is there already"},
		{reason: "what was refused has left nothing behind", object: &corev1.ConfigMap{}, field: "b"},
	}
	for _, before := range []bool{true, false} {
		t.Run(fmt.Sprintf("cluster connected before: %t", before), func(t *testing.T) {
			clusters := newFakeClusters()
			provider := multicluster.New(clusters, multicluster.Options{})
			if before {
				clusters.connect("east")
			}
			start(t, provider, &awareness{})
			if before {
				engaged(t, provider, "east")
			}
			for _, c := range calls {
				err := provider.IndexField(t.Context(), c.object, c.field, none)
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: want %q, got %v", c.reason, c.want, err)
				}
				_, isPod := c.object.(*corev1.Pod)
				if missing := (*cache.ErrResourceNotCached)(nil); errors.As(err, &missing) != isPod {
					t.Errorf("%s: want ErrResourceNotCached %t, got %v", c.reason, isPod, err)
				}
			}
			if !before {
				clusters.connect("east")
				engaged(t, provider, "east")
			}
			if diff := cmp.Diff([]string{"a", "b"}, clusters.connected["east"].has()); diff != "" {
				t.Errorf("indexes: -want +got:\n%s", diff)
			}
		})
	}
}

func TestIndexThatOneClusterDoesNotTake(t *testing.T) {
	clusters := newFakeClusters()
	provider := multicluster.New(clusters, multicluster.Options{})
	east, west := clusters.connect("east"), clusters.connect("west")
	start(t, provider, &awareness{})
	engaged(t, provider, "east", "west")
	west.mu.Lock()
	west.fails = 1
	west.mu.Unlock()
	err := provider.IndexField(t.Context(), &corev1.ConfigMap{}, "a", none)
	if !errors.Is(err, errPassing) || !strings.Contains(err.Error(), "cluster west") {
		t.Fatalf("the one that refused must be named, got %v", err)
	}
	north := clusters.connect("north")
	engaged(t, provider, "east", "north", "west")
	if len(north.has()) > 0 {
		t.Errorf("an index that failed is not for those that come: %v", north.has())
	}
	if err := provider.IndexField(t.Context(), &corev1.ConfigMap{}, "a", none); err != nil {
		t.Errorf("a second call must pass over the clusters that have the index: %v", err)
	}
	for _, each := range []*fakeCluster{east, west, north} {
		if diff := cmp.Diff([]string{"a"}, each.has()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestEngagementEndsWithTheConnection(t *testing.T) {
	clusters, aware := newFakeClusters(), &awareness{}
	provider := multicluster.New(clusters, multicluster.Options{})
	if err := provider.IndexField(t.Context(), &corev1.ConfigMap{}, "a", none); err != nil {
		t.Fatal(err)
	}
	start(t, provider, aware)
	clusters.connect("east")
	engaged(t, provider, "east")
	first := aware.life("east")

	again := clusters.connect("east")
	<-first.Done()
	eventually.Eventually(t, 20*time.Second, "the new connection is engaged", func(context.Context) error {
		if aware.life("east") == first || len(again.has()) != 1 {
			return errors.New("the new connection is not engaged with its index")
		}
		return nil
	})
	engaged(t, provider, "east")
	if err := aware.life("east").Err(); err != nil {
		t.Errorf("the end of the former connection ended the next: %v", err)
	}

	clusters.disconnect("east")
	engaged(t, provider)
	if _, err := provider.Get(t.Context(), "east"); !errors.Is(err, mc.ErrClusterNotFound) {
		t.Errorf("want ErrClusterNotFound, got %v", err)
	}
}

// TestConcurrentUse is for the race detector: whatever is called while clusters come and go.
func TestConcurrentUse(t *testing.T) {
	clusters := newFakeClusters()
	provider := multicluster.New(clusters, multicluster.Options{})
	start(t, provider, &awareness{fails: 5})
	var running sync.WaitGroup
	for i := range 40 {
		name := fmt.Sprintf("cluster-%d", i%10)
		running.Go(func() {
			switch i % 4 {
			case 0:
				if err := provider.IndexField(t.Context(), &corev1.ConfigMap{}, fmt.Sprint(i), none); err != nil {
					t.Error(err)
				}
			case 1:
				_, err := provider.Get(t.Context(), mc.ClusterName(name))
				if err != nil && !errors.Is(err, clientmgr.ErrConfigNotFound) {
					t.Error(err)
				}
			case 2:
				_ = provider.ClusterNames()
			}
			clusters.connect(name)
		})
	}
	running.Wait()
	var want []mc.ClusterName
	for i := range 10 {
		want = append(want, mc.ClusterName(fmt.Sprintf("cluster-%d", i)))
	}
	engaged(t, provider, want...)
	for _, name := range want {
		last := clusters.connected[name.String()]
		eventually.Eventually(t, 20*time.Second, "the last connection has all indexes", func(context.Context) error {
			if got := last.has(); len(got) != 10 {
				return fmt.Errorf("%s: want 10 indexes, got %v", name, got)
			}
			return nil
		})
	}
}
