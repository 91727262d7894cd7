package integration

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// refused checks that neither a look-up nor a client that somebody still holds answers, and that none of them says NotFound.
func (f *fixture) refused(config string, held client.Client, want error) {
	f.t.Helper()
	_, err := f.GetClientForConfig(f.t.Context(), config)
	if !errors.Is(err, want) {
		f.t.Errorf("look-up: want %v, got %v", want, err)
	}
	var failed *clientmgr.ConnectionError
	if errors.As(err, &failed) && failed.Since.IsZero() {
		f.t.Errorf("look-up: no age: %v", err)
	}
	if held == nil {
		return
	}
	for name, key := range map[string]client.ObjectKey{"cached": {Namespace: f.namespace, Name: "absent"}, "listed": {Namespace: f.namespace, Name: "held"}} {
		if err := held.Get(f.t.Context(), key, &corev1.ConfigMap{}); err == nil || apierrors.IsNotFound(err) {
			f.t.Errorf("held client, %s object: want an error other than NotFound, got %v", name, err)
		}
	}
}

func TestBlackHoledClusterDelaysNobody(t *testing.T) {
	f := newFixture(t, nil)
	proxy := f.proxy(east, false)
	f.config("east", f.admin(east, proxy.Addr()))
	f.connects("east")
	f.must(east.admin.Create(t.Context(), f.configMap("held")))
	f.sees("east", "held")
	held := f.client("east")
	before := f.audited(east)

	f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	f.config("west", f.admin(west, west.Addr()))
	begin := time.Now()
	f.connects("west")
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("west took %s to connect beside a black-holed cluster", took)
	}
	state := f.reaches("east", clientmgr.Degraded, clientmgr.ReasonUnreachable)
	if state.DisconnectedSince.Before(begin) {
		t.Errorf("disconnected since %s, but the fault began at %s", state.DisconnectedSince, begin)
	}
	f.refused("east", held, clientmgr.ErrNotConnected)
	begin = time.Now()
	for range 1000 {
		_, _ = f.GetClientForConfig(t.Context(), "east")
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("1000 look-ups of a black-holed cluster took %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if unhealthy := f.HealthCheck(ctx); unhealthy["east"] == nil || unhealthy["west"] != nil || ctx.Err() != nil {
		t.Errorf("health: want east alone, in time; got %v, %v", unhealthy, ctx.Err())
	}

	f.must(east.admin.Create(t.Context(), f.configMap("meanwhile")))
	f.must(proxy.Set(faults.Fault{}))
	state = f.connects("east")
	if !state.DisconnectedSince.IsZero() {
		t.Errorf("connected, but disconnected since %s", state.DisconnectedSince)
	}
	f.sees("east", "meanwhile")
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("a healed partition is no reason to list: relists: -want +got:\n%s", diff)
	}
	f.must(held.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "meanwhile"}, &corev1.ConfigMap{}))
}

func TestUnauthorizedThenFixed(t *testing.T) {
	f := newFixture(t, nil)
	token, revoke := f.token(f.newUser(east))
	f.config("east", f.kubeconfig(east, east.Addr(), token))
	f.connects("east")
	f.must(east.admin.Create(t.Context(), f.configMap("held")))
	f.sees("east", "held")
	held := f.client("east")
	before := f.audited(east)
	revoke()
	f.reaches("east", clientmgr.Degraded, clientmgr.ReasonUnauthorized)
	f.refused("east", held, clientmgr.ErrUnauthorized)
	f.rewrite("east", f.admin(east, east.Addr()))
	f.connects("east")
	f.must(east.admin.Create(t.Context(), f.configMap("fixed")))
	f.sees("east", "fixed")
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
}

func TestUnauthorizedFromTheBeginning(t *testing.T) {
	f := newFixture(t, nil)
	f.config("east", f.kubeconfig(east, east.Addr(), "not-a-token"))
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonUnauthorized)
	f.refused("east", nil, clientmgr.ErrUnauthorized)
	f.rewrite("east", f.admin(east, east.Addr()))
	f.connects("east")
}

func TestSecretComesAndGoes(t *testing.T) {
	f := newFixture(t, nil)
	f.config("east", nil)
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	_, err := f.GetClientForConfig(t.Context(), "east")
	if diff := cmp.Diff(fmt.Sprintf("KubevirtConfig east: failed to get kubeconfig secret %s/east", f.namespace), fmt.Sprint(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	good := f.admin(east, east.Addr())
	f.must(supervisor.admin.Create(t.Context(), f.secret("east", good)))
	f.connects("east")
	held := f.client("east")

	f.must(supervisor.admin.Delete(t.Context(), f.secret("east", nil)))
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	f.refused("east", held, clientmgr.ErrCredentialMissing)
	f.must(supervisor.admin.Create(t.Context(), f.secret("east", good)))
	f.connects("east")

	f.rewrite("east", []byte("garbage: [hunter2"))
	f.reaches("east", clientmgr.Stopped, clientmgr.ReasonBadKubeconfig)
	f.refused("east", held, clientmgr.ErrBadKubeconfig)
	f.rewrite("east", good)
	f.connects("east")

	empty := f.secret("east", nil)
	empty.Data = map[string][]byte{"other": []byte("x")}
	f.must(supervisor.admin.Update(t.Context(), empty))
	f.reaches("east", clientmgr.Disconnected, clientmgr.ReasonCredentialMissing)
	f.refused("east", held, clientmgr.ErrCredentialMissing)
}

func TestConfigDeletedWhileDialling(t *testing.T) {
	f := newFixture(t, func(o *clientmgr.Options) { o.ProbeTimeout = time.Hour })
	proxy := f.proxy(east, false)
	f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	f.config("east", f.admin(east, proxy.Addr()))
	f.reaches("east", clientmgr.Connecting, clientmgr.ReasonConnecting)
	f.must(supervisor.admin.Delete(t.Context(), &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "east"}}))
	eventually(t, 5*time.Second, func() error {
		if _, err := f.GetClientForConfig(t.Context(), "east"); !errors.Is(err, clientmgr.ErrConfigNotFound) {
			return fmt.Errorf("want ErrConfigNotFound, got %w", err)
		}
		return nil
	})
	f.stop() // and waits for every goroutine: one that still dials would keep it
}

func TestStalledWatchIsCut(t *testing.T) {
	f := newFixture(t, func(o *clientmgr.Options) { o.WatchSilence = 4 * time.Second })
	proxy := f.proxy(east, true)
	f.config("east", f.admin(east, proxy.Addr()))
	f.connects("east")
	before := f.audited(east)
	f.must(proxy.Set(faults.Fault{Kind: faults.Stall}))
	f.must(east.admin.Create(t.Context(), f.configMap("unseen")))
	f.reaches("east", clientmgr.Degraded, clientmgr.ReasonWatchStalled)
	f.must(proxy.Set(faults.Fault{}))
	f.sees("east", "unseen")
	after := f.audited(east)
	if diff := cmp.Diff(before.relists, after.relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
	if f.counter("clientmgr_watch_stalls_total", "east") == 0 {
		t.Error("no stall was counted")
	}
}

func TestServerIsKilledAndComesBack(t *testing.T) {
	f := newFixture(t, nil)
	f.config("west", f.admin(west, west.Addr()))
	f.connects("west")
	f.must(west.admin.Create(t.Context(), f.configMap("held")))
	f.sees("west", "held")
	held := f.client("west")
	before := f.audited(west)
	f.must(west.Kill())
	f.reaches("west", clientmgr.Degraded, clientmgr.ReasonUnreachable)
	f.refused("west", held, clientmgr.ErrNotConnected)
	f.must(west.Launch(t.Context()))
	f.connects("west")
	eventually(t, 30*time.Second, func() error { return west.admin.Create(t.Context(), f.configMap("back")) })
	f.sees("west", "back")
	if relists := f.audited(west).relists - before.relists; relists > 1 {
		t.Errorf("a restart of the only server costs one relist at most, got %d", relists)
	}
}

func TestRestoredServerIsListedAnew(t *testing.T) {
	f := newFixture(t, nil)
	f.config("west", f.admin(west, west.Addr()))
	f.connects("west")
	f.must(west.admin.Create(t.Context(), f.configMap("kept")))
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	f.must(west.Snapshot(t.Context(), snapshot))
	for i := range 30 {
		f.must(west.admin.Create(t.Context(), f.configMap(fmt.Sprintf("lost-%d", i))))
	}
	f.sees("west", "lost-29")
	f.must(west.Restore(t.Context(), snapshot, controlplane.RestoreOptions{}))
	eventually(t, 90*time.Second, func() error {
		c, err := f.GetClientForConfig(t.Context(), "west")
		if err != nil {
			return err
		}
		var list corev1.ConfigMapList
		if err := c.List(t.Context(), &list, client.InNamespace(f.namespace)); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("want the one object that was kept, got %d", len(list.Items))
		}
		return nil
	})
}
