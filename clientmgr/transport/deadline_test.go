package transport_test

import (
	"context"
	"io"
	"log"
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

// TestServerGivesUp: an API server aborts the stream of a request that is late for it.
func TestServerGivesUp(t *testing.T) {
	cases := map[string]struct {
		reason string
		within time.Duration
		answer func(http.ResponseWriter)
		want   int // the status; 0 is an error
	}{
		"Aborted": {
			reason: "Nothing was sent: the server is there, and it has given up.",
			within: 1100 * time.Millisecond, answer: func(http.ResponseWriter) {}, want: http.StatusGatewayTimeout,
		},
		"AbortedAfterHeader": {
			reason: "The header was sent, and the body is missing.",
			within: 1100 * time.Millisecond,
			answer: func(w http.ResponseWriter) {
				w.WriteHeader(http.StatusGatewayTimeout)
				w.(http.Flusher).Flush()
			},
			want: http.StatusGatewayTimeout,
		},
		"AbortedEarly": {
			reason: "A stream that is aborted long before its time is over has broken off.",
			within: time.Hour, answer: func(http.ResponseWriter) {},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newAPI(t, "t")
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				patience, _ := time.ParseDuration(req.URL.Query().Get("timeout"))
				over := time.NewTimer(min(patience, time.Second))
				defer over.Stop()
				<-over.C
				tc.answer(w)
				panic(http.ErrAbortHandler)
			})
			ctx, cancel := context.WithTimeout(t.Context(), tc.within)
			defer cancel()
			s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{Hold: -1})
			response, err := send(ctx, s, http.MethodPost, "/api/v1/namespaces", nil)
			if tc.want == 0 {
				if err == nil {
					t.Errorf("%s want an error, got %s", tc.reason, response.Status)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s %v", tc.reason, err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != tc.want || !strings.Contains(string(body), `"reason":"Timeout"`) {
				t.Errorf("%s want a Status of code %d, got %s %s %v", tc.reason, tc.want, response.Status, body, err)
			}
		})
	}
}
