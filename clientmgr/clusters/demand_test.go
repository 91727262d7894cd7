package clusters_test

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
)

// TestOnDemand follows a cluster that is connected while somebody asks for it: it sleeps until the
// first look-up, is let go some time after the last one, and can be always connected from then on.
func TestOnDemand(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m := startedWith(t, clusters.Options{
		Registerer: registry, LetGo: 4 * time.Second,
		Connection: clusters.Connection{Probe: clusters.Probe{Interval: time.Second}},
	})
	server := hostile.New("uid", configMaps)
	t.Cleanup(server.Close)
	wish := clusters.Wish{Kubeconfig: server.Kubeconfig(), OnDemand: true}
	m.Put("remote", wish)
	asleep := func(s clusters.State) bool {
		return s.Reason == clusters.ReasonAsleep && s.Phase == clusters.Disconnected
	}
	becomes(t, m, "remote", "it sleeps", asleep)
	if unhealthy := m.HealthCheck(t.Context()); len(unhealthy) > 0 {
		t.Errorf("a cluster that nobody needs is unhealthy: %v", unhealthy)
	}
	time.Sleep(time.Second)
	if n := server.Asked(hostile.Identity); n > 0 {
		t.Errorf("nobody asked for it, and it was asked %d times", n)
	}

	if _, err := m.Get("remote"); !errors.Is(err, clusters.ErrNotConnected) {
		t.Errorf("the first look-up got %v", err)
	}
	becomes(t, m, "remote", "a look-up wakes it", clusters.State.Ready)
	until := time.Now().Add(6 * time.Second)
	for time.Now().Before(until) { // longer than it is let go after
		if _, err := m.Live("remote"); err != nil {
			t.Fatalf("it is let go while somebody asks: %v", err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "clientmgr_cluster_phase" && len(family.GetMetric()) > 0 {
			t.Errorf("two would measure it: %v", family)
		}
	}
	held, err := m.Live("remote")
	if err != nil {
		t.Fatal(err)
	}
	becomes(t, m, "remote", "it is let go", asleep)
	if err := held.Get(t.Context(), client.ObjectKey{Namespace: "a", Name: "b"}, &corev1.ConfigMap{}); err == nil {
		t.Error("a reader of before still reads")
	}

	wish.OnDemand = false
	m.Put("remote", wish)
	becomes(t, m, "remote", "it is always connected from now on", clusters.State.Ready)
	time.Sleep(5 * time.Second)
	if state, _ := m.State("remote"); !state.Ready() {
		t.Errorf("it is let go all the same: %+v", state)
	}
}
