package clusters_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
)

var configMaps = hostile.Resource{Version: "v1", Plural: "configmaps", Kind: "ConfigMap"}

// started is a Manager that runs until the test ends.
func started(t *testing.T, connection clusters.Connection) *clusters.Manager {
	t.Helper()
	return startedWith(t, clusters.Options{Connection: connection, Registerer: prometheus.NewRegistry()})
}

// startedWith is started with other options, and caches what started does.
func startedWith(t *testing.T, options clusters.Options) *clusters.Manager {
	t.Helper()
	options.Kinds = map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {}}
	manager, err := clusters.New(options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return manager
}

// put starts a server and asks for its cluster.
func put(t *testing.T, manager *clusters.Manager, name string) *hostile.Server {
	t.Helper()
	server := hostile.New("uid-"+name, configMaps)
	t.Cleanup(server.Close)
	manager.Put(name, clusters.Wish{Kubeconfig: server.Kubeconfig()})
	return server
}

// becomes waits for a State.
func becomes(t *testing.T, manager *clusters.Manager, name, what string, is func(clusters.State) bool) {
	t.Helper()
	eventually.Eventually(t, 30*time.Second, what, func(context.Context) error {
		if state, _ := manager.State(name); !is(state) {
			return fmt.Errorf("it is %+v", state)
		}
		return nil
	})
}

func manner(t *testing.T, name string) hostile.Manner {
	t.Helper()
	be, err := hostile.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return be
}

// TestIdentityBecomesReadable grants the right to read kube-system to a connection that began
// without it: the identity is taken up, and guarded from then on.
func TestIdentityBecomesReadable(t *testing.T) {
	t.Parallel()
	m := started(t, clusters.Connection{Probe: clusters.Probe{Interval: 100 * time.Millisecond}})
	server := hostile.New("uid", configMaps)
	t.Cleanup(server.Close)
	server.Be(hostile.Identity, manner(t, "forbidden"))
	m.Put("east", clusters.Wish{Kubeconfig: server.Kubeconfig()})
	becomes(t, m, "east", "it is connected without an identity", func(s clusters.State) bool {
		return s.Ready() && s.ClusterUID == "" && s.IdentityVerified == metav1.ConditionUnknown
	})
	server.Be(hostile.Identity, nil)
	becomes(t, m, "east", "its identity is known", func(s clusters.State) bool {
		return s.Ready() && s.ClusterUID == "uid" && s.IdentityVerified == metav1.ConditionTrue
	})
	server.Be(hostile.Identity, manner(t, "another cluster"))
	becomes(t, m, "east", "another one is not followed", func(s clusters.State) bool {
		return s.Phase == clusters.Stopped && s.Reason == clusters.ReasonIdentityChanged && s.SeenUID == "another-cluster"
	})
}

// TestGateClosesInTheCallThatSees lets another cluster answer where nobody probes: the one call
// that sees it is the last one.
func TestGateClosesInTheCallThatSees(t *testing.T) {
	t.Parallel()
	m := started(t, clusters.Connection{Probe: clusters.Probe{Interval: time.Hour}})
	server := put(t, m, "east")
	becomes(t, m, "east", "it is connected", clusters.State.Ready)
	held, err := m.Get("east")
	if err != nil {
		t.Fatal(err)
	}
	server.Be(hostile.Identity, manner(t, "another cluster"))
	if err := m.Validate(t.Context(), "east"); !errors.Is(err, clusters.ErrIdentityChanged) {
		t.Fatalf("want ErrIdentityChanged, got %v", err)
	}
	if _, err := m.Get("east"); err == nil {
		t.Error("a client is handed out after another cluster was seen")
	}
	before := server.Asked(hostile.Write)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}}
	if err := held.Client().Create(t.Context(), object); err == nil || server.Asked(hostile.Write) != before {
		t.Errorf("a client that somebody holds writes into another cluster: %v", err)
	}
}

// TestPutBeforeStart holds that wishes may come before anything runs, and change.
func TestPutBeforeStart(t *testing.T) {
	t.Parallel()
	server := hostile.New("uid", configMaps)
	t.Cleanup(server.Close)
	m, err := clusters.New(clusters.Options{Registerer: prometheus.NewRegistry(), Noun: "site"})
	if err != nil {
		t.Fatal(err)
	}
	m.Put("east", clusters.Wish{Problem: "nobody wrote it yet"})
	m.Put("east", clusters.Wish{Kubeconfig: server.Kubeconfig()})
	m.Put("west", clusters.Wish{Problem: "nobody wrote it yet"})
	m.Put("gone", clusters.Wish{Kubeconfig: server.Kubeconfig()})
	m.Remove("gone")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	becomes(t, m, "east", "it is connected", clusters.State.Ready)
	eventually.Eventually(t, 10*time.Second, "the other one says why", func(context.Context) error {
		_, err := m.Get("west")
		if !errors.Is(err, clusters.ErrCredentialMissing) || err.Error() != "site west: nobody wrote it yet" {
			return fmt.Errorf("it is %w", err)
		}
		return nil
	})
	if _, err := m.Get("gone"); !errors.Is(err, clusters.ErrUnknown) {
		t.Errorf("want ErrUnknown, got %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	m.Put("late", clusters.Wish{Kubeconfig: server.Kubeconfig()})
	if states := m.States(); len(states) != 0 {
		t.Errorf("after the end there are %+v", states)
	}
	if err := m.Start(t.Context()); err == nil {
		t.Error("it was started twice")
	}
}

func TestOptionsByCluster(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	m, err := clusters.New(clusters.Options{
		Registerer: prometheus.NewRegistry(),
		For: func(name string, all clusters.Connection) clusters.Connection {
			asked[name]++
			all.Probe.Interval *= 10
			return all
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		m.Put("far", clusters.Wish{Problem: "x"})
	}
	if asked["far"] != 1 {
		t.Errorf("its options are asked for %d times", asked["far"])
	}
}

func TestOptionsThatCanNeverWork(t *testing.T) {
	t.Parallel()
	typed, untyped := &corev1.ConfigMap{}, &metav1.PartialObjectMetadata{}
	untyped.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	for _, tc := range []struct {
		reason  string
		options clusters.Options
		want    string // "" where it works
	}{
		{"the zero value works", clusters.Options{}, ""},
		{"a time is negative", clusters.Options{Connection: clusters.Connection{Fill: clusters.Fill{Timeout: -1}}},
			"Fill.Timeout is negative"},
		{"a number is negative", clusters.Options{Connection: clusters.Connection{Probe: clusters.Probe{Failures: -1}}},
			"Probe.Failures is negative"},
		{"a call ends before it is held", clusters.Options{Connection: clusters.Connection{
			Calls: clusters.Calls{Timeout: time.Second}}}, "Calls.Hold is 3s"},
		{"no limit is one too", clusters.Options{Connection: clusters.Connection{
			Calls: clusters.Calls{InFlight: -1, QPS: -1, Hold: -1}}}, ""},
		{"two forms of one kind would share a selector", clusters.Options{Kinds: map[client.Object]cache.ByObject{
			typed: {Label: labels.SelectorFromSet(labels.Set{"a": "b"})}, untyped: {}}}, "/v1, Kind=ConfigMap is declared twice"},
		{"nobody knows the kind", clusters.Options{Kinds: map[client.Object]cache.ByObject{
			&metav1.PartialObjectMetadata{}: {}}}, "declared kind"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			tc.options.Registerer = prometheus.NewRegistry()
			_, err := clusters.New(tc.options)
			if tc.want == "" && err == nil {
				return
			}
			if !errors.Is(err, clusters.ErrOptions) || tc.want == "" || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want %q, got %v", tc.want, err)
			}
		})
	}
}

// TestFillsTakeTurns holds that not all clusters fill their caches at once, and that one which does
// not come to an end keeps its place for a time alone.
func TestFillsTakeTurns(t *testing.T) {
	t.Parallel()
	m, err := clusters.New(clusters.Options{
		Kinds: map[client.Object]cache.ByObject{&corev1.ConfigMap{}: {}}, Registerer: prometheus.NewRegistry(), Fills: 1,
		Connection: clusters.Connection{Fill: clusters.Fill{Timeout: 3 * time.Second}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	hung := hostile.New("uid-hung", configMaps)
	t.Cleanup(hung.Close)
	hung.Be(hostile.Fill, manner(t, "silent"))
	m.Put("hung", clusters.Wish{Kubeconfig: hung.Kubeconfig()})
	eventually.Eventually(t, 20*time.Second, "it fills its cache", func(context.Context) error {
		if hung.Asked(hostile.Fill) == 0 {
			return errors.New("not asked")
		}
		return nil
	})
	other := put(t, m, "other")
	time.Sleep(time.Second)
	if n := other.Asked(hostile.Fill); n != 0 {
		t.Errorf("another one fills its cache as well: it was asked %d times", n)
	}
	becomes(t, m, "other", "its turn comes", clusters.State.Ready)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestRedirectIsNotFollowed counts what a server sees of one write that it redirects to itself.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	m := started(t, clusters.Connection{})
	server := put(t, m, "east")
	becomes(t, m, "east", "it is connected", clusters.State.Ready)
	server.Be(hostile.Write, manner(t, "redirect"))
	cluster, err := m.Get("east")
	if err != nil {
		t.Fatal(err)
	}
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a"}}
	if err := cluster.Client().Create(t.Context(), object); !errors.Is(err, clusters.ErrNotConnected) {
		t.Errorf("want ErrNotConnected, got %v", err)
	}
	if n := server.Asked(hostile.Write); n != 1 {
		t.Errorf("the write was sent %d times", n)
	}
}

// TestCredentialExpiry holds that what a token says of its end is told, in the State and as a
// metric.
func TestCredentialExpiry(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m, err := clusters.New(clusters.Options{Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	server := hostile.New("uid", configMaps)
	t.Cleanup(server.Close)
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(`{"exp":2000000000}`)) + ".x"
	m.Put("east", clusters.Wish{Kubeconfig: bytes.ReplaceAll(server.Kubeconfig(), []byte(hostile.Token), []byte(token))})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	becomes(t, m, "east", "its end is known", func(s clusters.State) bool {
		return s.Ready() && s.CredentialExpires.Unix() == 2_000_000_000
	})
	const want = `# HELP clientmgr_credential_expiry_seconds Unix time at which the kubeconfig's client certificate or token ends; absent where neither says.
# TYPE clientmgr_credential_expiry_seconds gauge
clientmgr_credential_expiry_seconds{cluster="east"} 2e+09
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "clientmgr_credential_expiry_seconds"); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
