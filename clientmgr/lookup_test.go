package clientmgr

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// standIns serves stand-ins of many clusters: the first part of a path is the UID of one.
func standIns(t testing.TB) (kubeconfig func(uid string) []byte) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		uid, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
		w.Header().Set("Content-Type", "application/json")
		if rest == "api/v1/namespaces/kube-system" {
			_, _ = fmt.Fprintf(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":%q}}`, uid)
			return
		}
		_, _ = fmt.Fprint(w, `{"gitVersion":"v1.37.2"}`)
	}))
	t.Cleanup(server.Close)
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: server.Certificate().Raw,
	}))
	return func(uid string) []byte {
		return fmt.Appendf(nil, `{"apiVersion":"v1","kind":"Config","current-context":"a",`+
			`"contexts":[{"name":"a","context":{"cluster":"a","user":"a"}}],"users":[{"name":"a","user":{"token":"t"}}],`+
			`"clusters":[{"name":"a","cluster":{"server":"%s/%s","certificate-authority-data":"%s"}}]}`, server.URL, uid, ca)
	}
}

// connectedManager returns a manager with clusters that are connected, without a supervisor.
func connectedManager(t testing.TB, count int) *KubevirtClientManager {
	t.Helper()
	options := Options{}
	options.Registerer = prometheus.NewRegistry()
	m, err := NewKubevirtClientManager(fake.NewClientBuilder().Build(), nil, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.clusters.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	kubeconfig := standIns(t)
	for i := range count {
		m.clusters.Put(fmt.Sprintf("cluster-%d", i), clusters.Wish{Kubeconfig: kubeconfig(fmt.Sprintf("uid-%d", i))})
	}
	for i := range count {
		name := fmt.Sprintf("cluster-%d", i)
		err := wait.PollUntilContextTimeout(ctx, 5*time.Millisecond, time.Minute, true,
			func(context.Context) (bool, error) {
				_, err := m.clusters.Get(name)
				return err == nil, nil
			})
		if err != nil {
			t.Fatalf("%s does not connect: %v", name, err)
		}
	}
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
	m := connectedManager(t, 10)
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

// TestReasonsAreTheAPIs holds the words of package clusters to those of the KubevirtConfig's
// conditions.
func TestReasonsAreTheAPIs(t *testing.T) {
	got := []string{
		ReasonConnected, ReasonConnecting, ReasonCredentialMissing, ReasonBadKubeconfig, ReasonUnreachable,
		ReasonUnauthorized, ReasonForbidden, ReasonNotSynced, ReasonIdentityChanged, ReasonIdentityUnverified,
	}
	want := []string{
		vitistackv1alpha1.ReasonConnected, vitistackv1alpha1.ReasonConnecting, vitistackv1alpha1.ReasonCredentialMissing,
		vitistackv1alpha1.ReasonBadKubeconfig, vitistackv1alpha1.ReasonUnreachable, vitistackv1alpha1.ReasonUnauthorized,
		vitistackv1alpha1.ReasonForbidden, vitistackv1alpha1.ReasonNotSynced, vitistackv1alpha1.ReasonIdentityChanged,
		vitistackv1alpha1.ReasonIdentityUnverified,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func BenchmarkGetClientForConfig(b *testing.B) {
	m := connectedManager(b, 10)
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

// BenchmarkLookup prints what finding a client costs: by name, by a machine with a ledger, and
// where there is none.
func BenchmarkLookup(b *testing.B) {
	for _, count := range []int{1, 8, 100} {
		m := connectedManager(b, count)
		m.clusters.Put("down", clusters.Wish{Problem: "none"})
		ctx, name := b.Context(), fmt.Sprintf("cluster-%d", count-1)
		machine := placed(name, fmt.Sprintf("uid-%d", count-1))
		for what, look := range map[string]func() error{
			"config":  func() error { _, err := m.GetClientForConfig(ctx, name); return err },
			"machine": func() error { _, _, err := m.GetOrCreateClientFromMachine(ctx, machine); return err },
			"down":    func() error { _, _ = m.GetClientForConfig(ctx, "down"); return nil },
			"live":    func() error { _, err := m.Live(name); return err },
		} {
			b.Run(fmt.Sprintf("clusters=%d/%s", count, what), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := look(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
