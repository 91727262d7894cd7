package exports_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

const (
	base = "/api/export.kubevirt.io/v1beta1/namespaces/default/virtualmachineexports/"
	size = 10_000
)

// world is a proxy before the server of an export.
type world struct {
	faults  *exports.Faults
	address string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ca, err := controlplane.NewCA("exports")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := ca.Server(exports.ServiceHost("virt-export-move", "default"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/volumes/data/disk.img" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(strings.Repeat("d", size)))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	services, pool := exports.NewNames(), x509.NewCertPool()
	services.Set(exports.ServiceHost("virt-export-move", "default"), server.Listener.Addr().String())
	pool.AppendCertsFromPEM(ca.Cert)
	w := &world{faults: exports.NewFaults()}
	proxy := httptest.NewServer(exports.NewProxy(exports.Options{
		Authority: pool, Services: services, Faults: w.faults,
		Find: func(_ context.Context, namespace, name string) (exports.Found, bool, error) {
			found := exports.Found{Service: "virt-export-" + name, Ready: name != "pending"}
			return found, namespace == "default" && name != "unknown", nil
		},
		Size: func(context.Context, string, string) int64 { return 10 << 30 },
		Pass: func(context.Context) error { return nil },
	}))
	t.Cleanup(proxy.Close)
	w.address = proxy.URL
	return w
}

// get returns the status of an answer, what came of the disk and what ended it.
func (w *world) get(t *testing.T, path string) (response *http.Response, content string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err = http.DefaultClient.Do(request); err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	return response, string(all), err
}

func TestProxyAnswers(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]int{
		base + "move/volumes/data/disk.img":                                http.StatusOK,
		strings.Replace(base, "v1beta1", "v1alpha1", 1) + "move/volumes/x": http.StatusNotFound,
		base + "unknown/volumes/data/disk.img":                             http.StatusNotFound,
		base + "pending/volumes/data/disk.img":                             http.StatusServiceUnavailable,
		base + "without-server/volumes/data/disk.img":                      http.StatusBadGateway,
		"/": http.StatusBadRequest,
		strings.Replace(base, "v1beta1", "v1", 1) + "move/volumes/data/disk.img": http.StatusBadRequest,
	} {
		if response, _, _ := w.get(t, path); response.StatusCode != want {
			t.Errorf("%s: %s, not %d", path, response.Status, want)
		}
	}
	response, _, _ := w.get(t, base+"move/volumes/data/disk.img")
	if got := response.Header.Get(exports.SizeHeader); got != "10737418240" {
		t.Errorf("the disk is said to have %q bytes", got)
	}
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	cases := map[string]struct {
		reason string
		fault  exports.Fault
		status int
		bytes  int
		broken bool
	}{
		"none":            {"the whole disk comes", exports.Fault{}, 200, size, false},
		"status":          {"the token is rejected", exports.Fault{Status: 401}, 401, 0, false},
		"breaks":          {"the client sees that it broke", exports.Fault{BreakAfter: 4000}, 200, 4000, true},
		"ends":            {"the client takes it for whole", exports.Fault{EndAfter: 4000}, 200, 4000, false},
		"other claim":     {"another disk is meant", exports.Fault{Claim: "root", Status: 401}, 200, size, false},
		"other namespace": {"another disk is meant", exports.Fault{Namespace: "x", Status: 401}, 200, size, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w.faults.Set(tc.fault)
			response, content, err := w.get(t, base+"move/volumes/data/disk.img")
			if response.StatusCode != tc.status || len(content) != tc.bytes || (err != nil) != tc.broken {
				t.Errorf("%s: %s, %d bytes: %v", tc.reason, response.Status, len(content), err)
			}
		})
	}
}

// TestFaultsCount: the second of three downloads has other bytes.
func TestFaultsCount(t *testing.T) {
	w := newWorld(t)
	w.faults.Set(exports.Fault{After: 1, Times: 1, Corrupt: true})
	for i, want := range []int{0, 2, 0} {
		_, content, err := w.get(t, base+"move/volumes/data/disk.img")
		if err != nil {
			t.Fatal(err)
		}
		if got := size - strings.Count(content, "d"); got != want {
			t.Errorf("download %d has %d other bytes, not %d", i, got, want)
		}
	}
}

func TestSlow(t *testing.T) {
	w := newWorld(t)
	w.faults.Set(exports.Fault{BytesPerSecond: 50_000})
	started := time.Now()
	if _, content, err := w.get(t, base+"move/volumes/data/disk.img"); err != nil || len(content) != size {
		t.Fatalf("%d bytes: %v", len(content), err)
	}
	if took := time.Since(started); took < 200*time.Millisecond {
		t.Errorf("10000 bytes at 50000 a second took %v", took)
	}
}
