package transport

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// counted is a context that counts those who wait for its end.
type counted struct {
	context.Context
	waiting atomic.Int64
}

// Value hides the context inside, which would be asked instead.
func (c *counted) Value(any) any { return nil }

// AfterFunc is what the package context asks of a parent that is not its own.
func (c *counted) AfterFunc(f func()) (stop func() bool) {
	c.waiting.Add(1)
	end := context.AfterFunc(c.Context, f)
	return func() bool {
		c.waiting.Add(-1)
		return end()
	}
}

// TestRefusedAttemptLeavesNothing holds that a watch which is parked for a month, and tried each
// five seconds, does not grow by each try.
func TestRefusedAttemptLeavesNothing(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := NewEndpoint(kubeconfig.Target{Server: *address, Insecure: true}, EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := NewSwap(endpoint, SwapOptions{})
	t.Cleanup(s.Close)
	parent := &counted{Context: t.Context()}
	req, err := http.NewRequestWithContext(parent, http.MethodGet, "https://cluster.invalid/api/v1/pods?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		resp, err := s.attempt(req, endpoint)
		if err != nil {
			t.Fatal(err)
		}
		discard(resp)
	}
	if n := parent.waiting.Load(); n != 0 {
		t.Errorf("after 10 refused attempts %d contexts are still waiting for the watch's end", n)
	}
}
