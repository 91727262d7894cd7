package transport_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// api is a TLS server that knows one token and serves watches for as long as it is told to.
type api struct {
	*httptest.Server
	mu       sync.Mutex
	token    string
	status   int           // of every answer, 0 for as it should be
	streams  chan struct{} // closed to end all watches
	requests []string      // method, path and body
	packing  []string      // which encodings each accepts
}

func newAPI(t *testing.T, token string) *api {
	t.Helper()
	a := &api{token: token, streams: make(chan struct{})}
	a.Server = httptest.NewUnstartedServer(a)
	a.EnableHTTP2 = true
	a.StartTLS()
	t.Cleanup(func() {
		a.endStreams()
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	a.mu.Lock()
	a.requests = append(a.requests, req.Method+" "+req.URL.Path+" "+string(body))
	a.packing = append(a.packing, req.Header.Get("Accept-Encoding"))
	status, token, streams := a.status, a.token, a.streams
	a.mu.Unlock()
	switch {
	case status != 0:
		w.WriteHeader(status)
	case req.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case req.URL.Query().Get("watch") == "true":
		_, _ = io.WriteString(w, "event\n")
		w.(http.Flusher).Flush()
		select {
		case <-streams:
		case <-req.Context().Done():
		}
	default:
		_, _ = io.WriteString(w, "ok")
	}
}

func (a *api) set(token string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token, a.status = token, status
}

// endStreams ends all open watches in an orderly way.
func (a *api) endStreams() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.streams)
	a.streams = make(chan struct{})
}

func (a *api) seen() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.requests...)
}

func (a *api) target(t *testing.T, token string) kubeconfig.Target {
	t.Helper()
	server, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig.Target{Server: *server, Token: kubeconfig.NewSecret(token),
		CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})}
}

func (a *api) endpoint(t *testing.T, token string) *transport.Endpoint {
	t.Helper()
	endpoint, err := transport.NewEndpoint(a.target(t, token), transport.EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

func newSwap(t *testing.T, endpoint *transport.Endpoint, options transport.SwapOptions) *transport.Swap {
	t.Helper()
	s := transport.NewSwap(endpoint, options)
	t.Cleanup(s.Close)
	return s
}

// send makes a request for a path through a Swap.
func send(ctx context.Context, s http.RoundTripper, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://cluster.invalid"+path, body)
	if err != nil {
		return nil, err
	}
	return s.RoundTrip(req)
}

const (
	resuming = "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300"
	silent   = "/api/v1/pods?watch=true&resourceVersion=7"
	starting = "/api/v1/pods?watch=true&sendInitialEvents=true&resourceVersion=7"
)

// openWatch opens a watch in the background and returns where its outcome comes.
func openWatch(t *testing.T, s http.RoundTripper, path string) <-chan outcome {
	t.Helper()
	done := make(chan outcome, 1)
	ctx := t.Context()
	go func() {
		resp, err := send(ctx, s, http.MethodGet, path, nil)
		done <- outcome{resp, err}
	}()
	return done
}

type outcome struct {
	resp *http.Response
	err  error
}

// within returns the outcome, or fails the test if there is none in time.
func within(t *testing.T, done <-chan outcome) outcome {
	t.Helper()
	select {
	case o := <-done:
		if o.resp != nil {
			t.Cleanup(func() { _ = o.resp.Body.Close() })
		}
		return o
	case <-time.After(20 * time.Second):
		t.Fatal("no outcome within 20 s")
		return outcome{}
	}
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

func parked(s *transport.Swap, n int) func(context.Context) error {
	return func(context.Context) error {
		if got := s.Watches().Parked; got != n {
			return fmt.Errorf("parked watches: want %d, got %d", n, got)
		}
		return nil
	}
}

// readAll reads a body to its end in the background.
func readAll(body io.Reader) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, body)
		ended <- err
	}()
	return ended
}

// end waits for the end of what readAll reads.
func end(t *testing.T, ended <-chan error) error {
	t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the stream did not end within 20 s")
		return nil
	}
}
