package app

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	// maxIdle is how many bytes of heap a connection may hold that caches no object.
	maxIdle = 150 << 10
	// idleConnections is the number of connections that the heap of each is an average of.
	idleConnections = 40
)

// TestIdleConnectionIsSmall measures the heap of a connection with nothing in its cache, as the
// operator makes it: also its Secret and its KubevirtConfig, in the caches of the supervisor.
func TestIdleConnectionIsSmall(t *testing.T) {
	held := startKubeVirt(t).idle()
	t.Logf("a connection holds %d KiB", held>>10)
	if held > maxIdle {
		t.Errorf("a connection that does nothing holds %d KiB of heap, and may hold %d KiB", held>>10, maxIdle>>10)
	}
}

// heap is what is held once everything that is not has been freed. Connections that were dropped
// close their last sockets within a moment.
func heap() uint64 {
	var stats runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// held is the operator's client manager over one cluster that is both supervisor and remote.
type held struct {
	t          testing.TB
	manager    *clientmgr.KubevirtClientManager
	client     client.Client
	kubeconfig []byte
}

func startHeld(t testing.TB, definitions envtest.CRDInstallOptions) *held {
	t.Helper()
	remote := controlplane.New(t, controlplane.Options{Name: "remote"})
	_, err := envtest.InstallCRDs(remote.Config(), definitions)
	must(t, err)
	manager, c := startRemotes(t, remote.Config(), "Namespaced")
	kubeconfig, err := remote.KubeconfigFor(controlplane.Admin)
	must(t, err)
	return &held{t: t, manager: manager, client: c, kubeconfig: kubeconfig}
}

func (h *held) connect(i int) {
	h.t.Helper()
	meta := metav1.ObjectMeta{Namespace: "configs", Name: fmt.Sprintf("remote-%d", i)}
	must(h.t, h.client.Create(h.t.Context(),
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"kubeconfig": h.kubeconfig}}))
	must(h.t, h.client.Create(h.t.Context(), &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: meta, Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: meta.Name, KubeconfigSecretRef: meta.Name}}))
	h.until(func() bool { state, _ := h.manager.State(meta.Name); return state.Ready() })
}

func (h *held) disconnect(i int) {
	h.t.Helper()
	meta := metav1.ObjectMeta{Namespace: "configs", Name: fmt.Sprintf("remote-%d", i)}
	must(h.t, h.client.Delete(h.t.Context(), &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta}))
	must(h.t, h.client.Delete(h.t.Context(), &corev1.Secret{ObjectMeta: meta}))
	h.until(func() bool { _, found := h.manager.State(meta.Name); return !found })
}

func (h *held) until(done func() bool) {
	h.t.Helper()
	deadline := time.After(2 * time.Minute)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-deadline:
			h.t.Fatalf("not in time: %+v", h.manager.States())
		case <-ticker.C:
		}
	}
}

// startKubeVirt starts a cluster that serves Kubernetes' own kinds and all of KubeVirt's and CDI's.
func startKubeVirt(t testing.TB) *held {
	t.Helper()
	binaries, err := kubevirt.FindBinaries()
	must(t, err)
	return startHeld(t, envtest.CRDInstallOptions{
		Paths: []string{binaries.Definitions}, ErrorIfPathMissing: true, MaxTime: time.Minute,
	})
}

// idle is how many bytes of heap each of many connections holds.
func (h *held) idle() uint64 {
	h.t.Helper()
	h.connect(0) // the first one makes what all have in common
	before := heap()
	for i := range idleConnections {
		h.connect(i + 1)
	}
	after := heap()
	for i := range idleConnections + 1 {
		h.disconnect(i)
	}
	runtime.KeepAlive(h)
	return (after - before) / idleConnections
}
