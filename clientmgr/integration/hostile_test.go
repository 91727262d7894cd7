package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
)

var configMaps = hostile.Resource{Version: "v1", Plural: "configmaps", Kind: "ConfigMap"}

// arena has a cluster that is tame, and others that are not.
type arena struct {
	*clusters.Manager
	t testing.TB
}

// newArena starts clusters with short times, of which "tame" is connected.
func newArena(t testing.TB) arena {
	t.Helper()
	manager, err := clusters.New(clusters.Options{
		Kinds:      map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {}},
		Registerer: prometheus.NewRegistry(),
		Connection: clusters.Connection{
			Probe:      clusters.Probe{Interval: 500 * time.Millisecond, Timeout: 2 * time.Second},
			Watch:      clusters.Watch{OpenTimeout: 2 * time.Second},
			Calls:      clusters.Calls{Timeout: 2 * time.Second, Hold: time.Second},
			Fill:       clusters.Fill{Timeout: 3 * time.Second},
			BackoffMax: 2 * time.Second,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := arena{manager, t}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(30 * time.Second):
			t.Error("the manager does not end: something waits for a server for ever")
		}
	})
	a.server(t, "tame")
	a.is("tame", clusters.Connected)
	return a
}

// server starts a server and asks for its cluster.
func (a arena) server(t testing.TB, name string) *hostile.Server {
	t.Helper()
	server := hostile.New("uid-"+name, configMaps)
	t.Cleanup(server.Close)
	a.Put(name, clusters.Wish{Kubeconfig: server.Kubeconfig()})
	t.Cleanup(func() { a.Remove(name) })
	return server
}

func (a arena) is(name string, want clusters.Phase) {
	a.t.Helper()
	eventually.Eventually(a.t, time.Minute, name+" is "+string(want), func(context.Context) error {
		if state, _ := a.State(name); state.Phase != want {
			return fmt.Errorf("it is %+v", state)
		}
		return nil
	})
}

// harmless checks what was told of a server: nothing that it must not know, and bounded.
func harmless(t testing.TB, server *hostile.Server, told string) {
	t.Helper()
	for _, secret := range []string{hostile.Token, strings.TrimPrefix(server.URL, "https://"), "\x1b"} {
		if strings.Contains(told, secret) {
			t.Fatalf("%q is told: %.300q", secret, told)
		}
	}
	if len(told) > 2048 {
		t.Fatalf("%d bytes are told: %.200q", len(told), told)
	}
}

// absent reports whether an answer would be taken for the absence of an object.
func absent(err error) bool { return apierrors.IsNotFound(err) }

// moment is when a server turns hostile, and in what.
type moment struct {
	name  string
	step  hostile.Step
	first bool // before the cluster is connected
	again bool // and then the kubeconfig changes
}

var moments = []moment{
	{name: "connect", step: hostile.Identity, first: true}, {name: "discovery", step: hostile.Discover, first: true},
	{name: "first fill", step: hostile.Fill, first: true}, {name: "probe", step: hostile.Identity},
	{name: "rotation", step: hostile.Identity, again: true}, {name: "watch", step: hostile.Watch},
	{name: "read", step: hostile.Read}, {name: "list", step: hostile.Fill}, {name: "write", step: hostile.Write},
}

// turn starts a server that turns hostile at a moment.
func (a arena) turn(t *testing.T, victim string, at moment, be hostile.Manner) *hostile.Server {
	t.Helper()
	server := hostile.New("uid-"+victim, configMaps)
	t.Cleanup(server.Close)
	if at.first {
		server.Be(at.step, be)
	}
	a.Put(victim, clusters.Wish{Kubeconfig: server.Kubeconfig()})
	t.Cleanup(func() { a.Remove(victim) })
	if !at.first {
		arena{a.Manager, t}.is(victim, clusters.Connected)
		server.Be(at.step, be)
	}
	if at.again {
		other := bytes.ReplaceAll(server.Kubeconfig(), []byte(hostile.Token), []byte(hostile.Token+"-2"))
		a.Put(victim, clusters.Wish{Kubeconfig: other})
	}
	return server
}

// use looks at a cluster and calls it for some seconds.
func (a arena) use(
	t *testing.T, victim string, server *hostile.Server, call func(context.Context, clusters.Cluster) []error,
) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		state, _ := a.State(victim)
		harmless(t, server, state.Message)
		cluster, err := a.Get(victim)
		if err != nil {
			harmless(t, server, err.Error())
			continue
		}
		for _, err := range call(t.Context(), cluster) {
			if err != nil {
				harmless(t, server, err.Error())
			}
			if absent(err) {
				t.Fatalf("it reads as absent: %v", err)
			}
		}
	}
}

// TestHostileServers turns each moment of a connection's life hostile in each manner: what is told
// is harmless, nothing reads as absent, the tame cluster does not notice, and the cluster is well
// again once its server is.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	const namespace, name = "ns", "there"
	call := func(ctx context.Context, cluster clusters.Cluster) []error {
		remote, live := cluster.Client(), cluster.Live()
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		list := &corev1.ConfigMapList{}
		errs := []error{live.Get(ctx, client.ObjectKeyFromObject(object), object.DeepCopy())}
		if err := live.List(ctx, list, client.InNamespace(namespace)); err != nil || len(list.Items) == 0 {
			errs = append(errs, err)
		}
		return append(errs, remote.Create(ctx, object.DeepCopy()), remote.Update(ctx, object.DeepCopy()),
			remote.Patch(ctx, object.DeepCopy(), client.MergeFrom(&corev1.ConfigMap{})))
	}
	t.Run("cases", func(t *testing.T) {
		for _, name := range hostile.Names() {
			be, err := hostile.Named(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range moments {
				t.Run(name+" at "+at.name, func(t *testing.T) {
					t.Parallel()
					victim := strings.ReplaceAll(t.Name(), "/", "-")
					server := a.turn(t, victim, at, be)
					a.use(t, victim, server, call)
					// A busy machine may lose any cluster for a moment; this one is still hostile meanwhile.
					eventually.Eventually(t, 20*time.Second, "another cluster is well", func(context.Context) error {
						_, err := a.Get("tame")
						return err
					})
					server.Be(at.step, nil)
					if name != "another cluster" || at.step != hostile.Identity { // of which a person decides
						arena{a.Manager, t}.is(victim, clusters.Connected)
					}
				})
			}
		}
	})
}

// TestHostileServersCostLittle measures what the largest answers cost this process, and the calls
// of another cluster meanwhile.
func TestHostileServersCostLittle(t *testing.T) {
	const most, late = 200 << 20, 500 * time.Millisecond
	a := newArena(t)
	tame, err := a.Get("tame")
	if err != nil {
		t.Fatal(err)
	}
	rest := medianOf(t, tame, time.Second)
	for _, manner := range []string{"bomb", "empties", "endless", "deep"} {
		for _, step := range []hostile.Step{hostile.Identity, hostile.Discover, hostile.Fill, hostile.Watch, hostile.Read} {
			t.Run(manner+" "+string(step), func(t *testing.T) {
				be, err := hostile.Named(manner)
				if err != nil {
					t.Fatal(err)
				}
				runtime.GC()
				peak := watchHeap(t)
				server := a.server(t, "victim")
				if step == hostile.Watch || step == hostile.Read {
					a.is("victim", clusters.Connected)
				}
				server.Be(step, be)
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for range 4 {
						if cluster, err := a.Get("victim"); err == nil {
							_ = cluster.Live().Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "a"}, &corev1.ConfigMap{})
						}
						if live, err := a.Live("victim"); err == nil {
							_ = live.List(t.Context(), &corev1.ConfigMapList{})
						}
					}
				}()
				busy := medianOf(t, tame, 2*time.Second)
				<-ended
				grown := peak()
				t.Logf("the heap grew by %d MiB; another cluster's call took %s, at rest %s", grown>>20, busy, rest)
				if grown > most {
					t.Errorf("the heap grew by %d MiB", grown>>20)
				}
				if busy > late { // the ratio is for a machine that does nothing else
					t.Errorf("another cluster's call takes %s, at rest %s: it waits", busy, rest)
				}
				a.Remove("victim")
			})
		}
	}
}

// medianOf is that of a cluster's calls during a time.
func medianOf(t testing.TB, cluster clusters.Cluster, during time.Duration) time.Duration {
	t.Helper()
	var took []time.Duration
	for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		began := time.Now()
		err := cluster.Live().Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: "a"}, &corev1.ConfigMap{})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("another cluster is hurt: %v", err)
			return 0
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// watchHeap returns a function that tells by how much the heap grew at most since.
func watchHeap(t testing.TB) (peak func() uint64) {
	t.Helper()
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	base := heap()
	var most atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			most.Store(max(most.Load(), heap()))
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() uint64 {
		stop()
		<-done
		return max(base, most.Load()) - base
	}
}
