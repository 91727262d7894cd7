package clientmgr

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// connectedManager returns a manager that was never started, with clusters that are connected as
// far as look-ups see.
func connectedManager(t testing.TB, clusters int) *KubevirtClientManager {
	t.Helper()
	m, err := NewKubevirtClientManager(fake.NewClientBuilder().Build(), nil, Options{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*cluster{}
	for i := range clusters {
		name, uid := fmt.Sprintf("cluster-%d", i), fmt.Sprintf("uid-%d", i)
		conn := &connection{config: name, options: m.options, remote: &remoteClient{config: name}}
		conn.uid.Store(&uid)
		c := newCluster(name, wish{}, m.options)
		c.view.Store(&view{state: State{Config: name, Phase: Connected, ClusterUID: uid}, conn: conn})
		known[name] = c
	}
	m.clusters.Store(&known)
	return m
}

func placed(config, uid string) *vitistackv1alpha1.Machine {
	return &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web",
		Annotations: map[string]string{
			vitistackv1alpha1.AnnotationPlacement: vitistackv1alpha1.Ledger{
				Config: config, ClusterUID: uid, Namespace: "default", VMName: "vm-web", Nonce: "n"}.String(),
		}}}
}

func TestLookupAllocatesNothing(t *testing.T) {
	m := connectedManager(t, 50)
	ctx := t.Context()
	machine := placed("cluster-7", "uid-7")
	got := testing.AllocsPerRun(1000, func() {
		if _, err := m.GetClientForConfig(ctx, "cluster-7"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := m.GetOrCreateClientFromMachine(ctx, machine); err != nil {
			t.Fatal(err)
		}
	})
	if diff := cmp.Diff(0.0, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLookupWhileClustersComeAndGo(t *testing.T) {
	m := connectedManager(t, 2)
	c := (*m.clusters.Load())["cluster-0"]
	var users sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 4 {
		users.Go(func() {
			for ctx.Err() == nil {
				if remote, err := m.GetClientForConfig(ctx, "cluster-0"); (remote == nil) == (err == nil) {
					t.Error("neither a client nor an error, or both")
					return
				}
			}
		})
	}
	well := c.view.Load()
	for range 2000 {
		c.view.Store(&view{state: State{Phase: Degraded}, conn: well.conn, err: c.connectionError(ErrNotConnected, "away")})
		c.view.Store(well)
	}
	cancel()
	users.Wait()
}

func BenchmarkGetClientForConfig(b *testing.B) {
	m := connectedManager(b, 50)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := m.GetClientForConfig(ctx, "cluster-7"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGetOrCreateClientFromMachine(b *testing.B) {
	m := connectedManager(b, 50)
	machine := placed("cluster-7", "uid-7")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.GetOrCreateClientFromMachine(ctx, machine); err != nil {
			b.Fatal(err)
		}
	}
}
