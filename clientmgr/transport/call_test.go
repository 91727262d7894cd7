package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

func TestCallIsHeldForTheNewCredential(t *testing.T) {
	server := newAPI(t, "new")
	s := newSwap(t, server.endpoint(t, "old"), transport.SwapOptions{Hold: 20 * time.Second})
	done := make(chan outcome, 1)
	ctx := t.Context()
	go func() {
		resp, err := send(ctx, s, http.MethodPost, "/api/v1/pods", strings.NewReader("body"))
		done <- outcome{resp, err}
	}()
	eventually.Eventually(t, patience, "the call arrives", func(context.Context) error {
		if len(server.seen()) == 0 {
			return errors.New("the call did not arrive")
		}
		return nil
	})
	s.Set(server.endpoint(t, "new"))
	if o := within(t, done); o.err != nil || o.resp.StatusCode != http.StatusOK {
		t.Fatalf("want the call to succeed with the new credential, got %+v", o)
	}
	if diff := cmp.Diff([]string{"POST /api/v1/pods body", "POST /api/v1/pods body"}, server.seen()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHoldIsBounded(t *testing.T) {
	server := newAPI(t, "new")
	for name, tc := range map[string]struct {
		reason string
		hold   time.Duration
	}{
		"short": {"a credential that is simply wrong is reported", 50 * time.Millisecond},
		"off":   {"not everybody can wait", -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSwap(t, server.endpoint(t, "old"), transport.SwapOptions{Hold: tc.hold})
			resp, err := send(t.Context(), s, http.MethodGet, "/version", nil)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: want 401, got %d", tc.reason, resp.StatusCode)
			}
		})
	}
}

func TestUnsentCallWaitsForTheServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := kubeconfig.Target{Token: kubeconfig.NewSecret("t")}
	away.Server.Scheme, away.Server.Host = "https", listener.Addr().String()
	_ = listener.Close()
	endpoint, err := transport.NewEndpoint(away, transport.EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSwap(t, endpoint, transport.SwapOptions{Hold: 20 * time.Second})
	done := make(chan outcome, 1)
	ctx := t.Context()
	go func() {
		resp, err := send(ctx, s, http.MethodDelete, "/api/v1/pods", nil)
		done <- outcome{resp, err}
	}()
	server := newAPI(t, "t")
	s.Set(server.endpoint(t, "t"))
	if o := within(t, done); o.err != nil || o.resp.StatusCode != http.StatusOK {
		t.Errorf("want the call to go through, got %+v", o)
	}
}

func TestSentWriteIsNeverRepeated(t *testing.T) {
	server := newAPI(t, "t")
	arrived := make(chan struct{}, 10)
	server.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		panic(http.ErrAbortHandler)
	})
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{Hold: 20 * time.Second})
	if _, err := send(t.Context(), s, http.MethodPost, "/api/v1/pods", strings.NewReader("x")); err == nil {
		t.Fatal("want the break to be reported: the write may have been applied")
	}
	if len(arrived) != 1 {
		t.Errorf("the write arrived %d times", len(arrived))
	}
}

func TestEndpointKeepsTheCallersRequest(t *testing.T) {
	server := newAPI(t, "t")
	target := server.target(t, "t")
	target.Server.Path = "/clusters/east"
	endpoint, err := transport.NewEndpoint(target, transport.EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer endpoint.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://cluster.invalid/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := endpoint.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if diff := cmp.Diff([]string{"GET /clusters/east/version "}, server.seen()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if req.URL.Host != "cluster.invalid" || req.Header.Get("Authorization") != "" {
		t.Errorf("the caller's request was changed: %v %v", req.URL, req.Header)
	}
}

func TestRedirectDoesNotCarryTheTokenAway(t *testing.T) {
	stolen := newAPI(t, "t")
	server := newAPI(t, "t")
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/version" {
			http.Redirect(w, req, stolen.URL+"/steal", http.StatusFound)
		}
	})
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://cluster.invalid/version", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: s}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if seen := stolen.seen(); len(seen) > 0 {
		t.Errorf("another server was asked: %v", seen)
	}
}

func TestBound(t *testing.T) {
	gate := make(chan struct{})
	server := newAPI(t, "t")
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/slow" {
			select {
			case <-gate:
			case <-req.Context().Done():
			}
		}
		_, _ = io.WriteString(w, "ok")
	})
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	b := transport.NewBound(s, transport.BoundOptions{Timeout: 300 * time.Millisecond, InFlight: 1})

	held, err := send(t.Context(), b, http.MethodGet, "/fast", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := b.InFlight(); n != 1 {
		t.Errorf("a call whose body is open is in flight: want 1, got %d", n)
	}
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := send(impatient, b, http.MethodGet, "/fast", nil); !errors.Is(err, transport.ErrBusy) {
		t.Errorf("want ErrBusy, got %v", err)
	}
	_ = held.Body.Close()
	eventually.Eventually(t, patience, "the slot is free", func(context.Context) error {
		if b.InFlight() != 0 {
			return errors.New("the slot is not free")
		}
		return nil
	})
	if _, err := send(t.Context(), b, http.MethodGet, "/slow", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want DeadlineExceeded, got %v", err)
	}
	leaked, err := send(t.Context(), b, http.MethodGet, "/fast", nil) // its body is never closed
	if err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "the leaked slot is free", func(context.Context) error {
		if b.InFlight() != 0 {
			return errors.New("a body that nobody closes keeps its slot for ever")
		}
		return nil
	})
	_ = leaked.Body.Close()
	close(gate)
}
