package transport_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// deadlineCase is a call, and what the server is to hear of its deadline.
type deadlineCase struct {
	reason string
	method string
	path   string
	within time.Duration // 0 is no deadline
	// atLeast and atMost bound what the server is told; both 0 means that it is told nothing.
	atLeast, atMost time.Duration
	// exact is what the server hears otherwise.
	exact string
}

func TestWritesTellTheServerTheirDeadline(t *testing.T) {
	cases := map[string]deadlineCase{
		"Create": {
			reason: "The server gives up before the caller does, so that its sentence arrives.",
			method: http.MethodPost, path: "/apis/kubevirt.io/v1/namespaces/a/virtualmachines", within: 40 * time.Second,
			atLeast: 30 * time.Second, atMost: 35 * time.Second,
		},
		"Patch": {
			reason: "A parameter of the write stays.",
			method: http.MethodPatch, path: "/api/v1/namespaces/a?fieldManager=x", within: 40 * time.Second,
			atLeast: 30 * time.Second, atMost: 35 * time.Second,
		},
		"Update": {
			reason: "An update meets the same webhooks.",
			method: http.MethodPut, path: "/api/v1/namespaces/a", within: 40 * time.Second,
			atLeast: 30 * time.Second, atMost: 35 * time.Second,
		},
		"Delete": {
			reason: "A deletion meets webhooks too.",
			method: http.MethodDelete, path: "/api/v1/namespaces/a", within: 40 * time.Second,
			atLeast: 30 * time.Second, atMost: 35 * time.Second,
		},
		"Read": {
			reason: "A read meets no admission, and its URL stays as it is.",
			method: http.MethodGet, path: "/api/v1/namespaces/a", within: 40 * time.Second,
		},
		"NoDeadline": {
			reason: "Who waits for ever has nothing to tell.",
			method: http.MethodPost, path: "/api/v1/namespaces",
		},
		"Asked": {
			reason: "The caller's own parameter wins.",
			method: http.MethodPost, path: "/api/v1/namespaces?timeout=7s", within: 40 * time.Second, exact: "7s",
		},
		"Proxied": {
			reason: "A server behind a proxy subresource gets the caller's URL alone.",
			method: http.MethodPost, path: "/api/v1/namespaces/a/services/b/proxy/do", within: 40 * time.Second,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newAPI(t, "t")
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if manager := req.URL.Query().Get("fieldManager"); strings.Contains(tc.path, "fieldManager=x") != (manager == "x") {
					t.Errorf("%s fieldManager: %q", tc.reason, manager)
				}
				_, _ = io.WriteString(w, req.URL.Query().Get("timeout"))
			})
			ctx := t.Context()
			if tc.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tc.within)
				defer cancel()
			}
			response, err := send(ctx, newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{}), tc.method, tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			tc.check(t, string(body))
		})
	}
}

func (c deadlineCase) check(t *testing.T, told string) {
	t.Helper()
	if c.atMost == 0 {
		if told != c.exact {
			t.Errorf("%s want %q, got %q", c.reason, c.exact, told)
		}
		return
	}
	patience, err := time.ParseDuration(told)
	if err != nil || patience < c.atLeast || patience > c.atMost {
		t.Errorf("%s want between %s and %s, got %q", c.reason, c.atLeast, c.atMost, told)
	}
}
