package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

func TestBrokenStreamReadsAsItsEnd(t *testing.T) {
	server := newAPI(t, "t")
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	o := within(t, openWatch(t, s, resuming))
	if o.err != nil {
		t.Fatal(o.err)
	}
	ended := readAll(o.resp.Body)
	server.CloseClientConnections()
	if err := end(t, ended); err != nil {
		t.Errorf("client-go lists anew on anything but an end: got %v", err)
	}
}

func TestYoungStreamEndsLate(t *testing.T) {
	server := newAPI(t, "t")
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	opened := time.Now()
	o := within(t, openWatch(t, s, resuming))
	if o.err != nil {
		t.Fatal(o.err)
	}
	ended := readAll(o.resp.Body)
	server.endStreams()
	if err := end(t, ended); err != nil {
		t.Error(err)
	}
	if age := time.Since(opened); age < time.Second {
		t.Errorf("ended at an age of %s: client-go lists anew where a watch ends within its first second", age)
	}
}

func TestYoungStreamIsClosedAtOnce(t *testing.T) {
	server := newAPI(t, "t")
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{Clock: clocktesting.NewFakeClock(time.Now())})
	o := within(t, openWatch(t, s, resuming))
	if o.err != nil {
		t.Fatal(o.err)
	}
	ended := readAll(o.resp.Body)
	server.endStreams()
	if err := o.resp.Body.Close(); err != nil {
		t.Error(err)
	}
	_ = end(t, ended) // whatever it says: it does not wait for a clock that stands
}

func TestWatchesAreNotCompressed(t *testing.T) {
	cases := map[string]struct{ reason, path, chosen, want string }{
		"a watch": {
			reason: "a reader of a compressed stream holds 40 KiB until it ends",
			path:   resuming, want: "identity",
		},
		"a watch whose caller chose": {
			reason: "the caller unpacks it and has its own reasons",
			path:   resuming, chosen: "gzip", want: "gzip",
		},
		"a list": {reason: "it ends, and is large", path: "/api/v1/pods", want: "gzip"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newAPI(t, "t")
			s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, transport.Host("a")+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tc.chosen != "" {
				req.Header.Set("Accept-Encoding", tc.chosen)
			}
			resp, err := s.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			server.mu.Lock()
			defer server.mu.Unlock()
			if got := server.packing[0]; got != tc.want || req.Header.Get("Accept-Encoding") != tc.chosen {
				t.Errorf("%s: want %q, got %q, and the caller's request has %q", tc.reason, tc.want, got,
					req.Header.Get("Accept-Encoding"))
			}
		})
	}
}

func TestResumingWatchIsParked(t *testing.T) {
	cases := map[string]struct {
		reason string
		breaks func(*api)
		heals  func(*testing.T, *api, *transport.Swap)
	}{
		"401": {
			reason: "the credential is being rotated",
			breaks: func(a *api) { a.set("new", 0) },
			heals:  func(t *testing.T, a *api, s *transport.Swap) { s.Set(a.endpoint(t, "new")) },
		},
		"403": {
			reason: "a server that just started forbids everything",
			breaks: func(a *api) { a.set("t", http.StatusForbidden) },
			heals:  func(_ *testing.T, a *api, s *transport.Swap) { a.set("t", 0); s.Wake() },
		},
		"503": {
			reason: "a load balancer without a server behind it",
			breaks: func(a *api) { a.set("t", http.StatusServiceUnavailable) },
			heals:  func(_ *testing.T, a *api, s *transport.Swap) { a.set("t", 0); s.Wake() },
		},
		"refused": {
			reason: "the server is away, and comes back elsewhere",
			breaks: func(a *api) { a.CloseClientConnections(); _ = a.Listener.Close() },
			heals: func(t *testing.T, _ *api, s *transport.Swap) {
				s.Set(newAPI(t, "t").endpoint(t, "t"))
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newAPI(t, "t")
			s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
			tc.breaks(server)
			opening := openWatch(t, s, resuming)
			eventually.Eventually(t, patience, "the watch is parked", parked(s, 1))
			tc.heals(t, server, s)
			if o := within(t, opening); o.err != nil || o.resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %+v", tc.reason, o)
			}
			eventually.Eventually(t, patience, "no watch is parked", parked(s, 0))
		})
	}
}

func TestWatchThatIsNotParked(t *testing.T) {
	cases := map[string]struct {
		reason, path string
		status       int
		options      transport.SwapOptions
	}{
		"gone":     {"the version is too old: only a list helps", resuming, http.StatusGone, transport.SwapOptions{}},
		"busy":     {"client-go waits by itself", resuming, http.StatusTooManyRequests, transport.SwapOptions{}},
		"starting": {"a first list has nothing to lose", starting, http.StatusForbidden, transport.SwapOptions{}},
		"right lost": {"else it would look like a quiet cluster", resuming, http.StatusForbidden,
			transport.SwapOptions{ParkForbidden: time.Millisecond}},
		"server fails": {"a list may fare better by now", resuming, http.StatusInternalServerError,
			transport.SwapOptions{ParkServerError: time.Millisecond}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newAPI(t, "t")
			server.set("t", tc.status)
			s := newSwap(t, server.endpoint(t, "t"), tc.options)
			if o := within(t, openWatch(t, s, tc.path)); o.err != nil || o.resp.StatusCode != tc.status {
				t.Errorf("%s: want status %d, got %+v", tc.reason, tc.status, o)
			}
		})
	}
}

func TestParkedWatchEndsWithItsCaller(t *testing.T) {
	server := newAPI(t, "t")
	server.set("t", http.StatusServiceUnavailable)
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan outcome, 1)
	go func() {
		resp, err := send(ctx, s, http.MethodGet, resuming, nil)
		done <- outcome{resp, err}
	}()
	eventually.Eventually(t, patience, "the watch is parked", parked(s, 1))
	cancel()
	if o := within(t, done); !errors.Is(o.err, context.Canceled) {
		t.Errorf("want context.Canceled, got %+v", o)
	}
	eventually.Eventually(t, patience, "no watch is parked", parked(s, 0))
}

func TestBeforeResume(t *testing.T) {
	var asked atomic.Int64
	var refuse atomic.Bool
	server := newAPI(t, "t")
	s := newSwap(t, server.endpoint(t, "t"),
		transport.SwapOptions{BeforeResume: func(_ context.Context, collection, version string) error {
			asked.Add(1)
			if collection != "/api/v1/pods" || version != "7" {
				t.Errorf("asked about %s at %s", collection, version)
			}
			if refuse.Load() {
				return syscall.ECONNREFUSED
			}
			return nil
		}})
	open := func(want int64) *http.Response {
		t.Helper()
		o := within(t, openWatch(t, s, resuming))
		if o.err != nil {
			t.Fatal(o.err)
		}
		if got := asked.Load(); got != want {
			t.Errorf("asked %d times, want %d", got, want)
		}
		return o.resp
	}
	stream := open(0) // nothing has broken off yet
	ended := readAll(stream.Body)
	s.Set(server.endpoint(t, "t"))
	s.CutOld(false)
	_ = end(t, ended)
	stream = open(0) // a planned cut is no break
	ended = readAll(stream.Body)
	s.Set(server.endpoint(t, "t"))
	s.CutOld(true)
	_ = end(t, ended)
	stream = open(1) // another address: the cut asks for it
	ended = readAll(stream.Body)
	server.endStreams()
	_ = end(t, ended)
	refuse.Store(true) // the stream ended before its time
	opening := openWatch(t, s, resuming)
	eventually.Eventually(t, patience, "the watch is parked", parked(s, 1))
	refuse.Store(false)
	s.Wake()
	if o := within(t, opening); o.err != nil {
		t.Error(o.err)
	}
}

func TestCutSilent(t *testing.T) {
	server := newAPI(t, "t")
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	o := within(t, openWatch(t, s, resuming))
	if o.err != nil {
		t.Fatal(o.err)
	}
	users := within(t, openWatch(t, s, silent)) // somebody else's, without bookmarks: it may just have nothing to tell
	if users.err != nil {
		t.Fatal(users.err)
	}
	ended := readAll(o.resp.Body)
	if n := s.CutSilent(time.Hour); n != 0 {
		t.Errorf("%d streams cut that were not silent for an hour", n)
	}
	opened := time.Now()
	if n := s.CutSilent(0); n != 1 {
		t.Errorf("want the one stream cut, got %d", n)
	}
	if n := s.CutSilent(0); n != 0 {
		t.Errorf("a stream was cut twice: %d", n)
	}
	if err := end(t, ended); err != nil {
		t.Error(err)
	}
	if age := time.Since(opened); age < 900*time.Millisecond {
		t.Errorf("cut at an age of about %s: client-go takes a watch that ends within its first second for an error", age)
	}
}

func TestClosedSwapEndsEverything(t *testing.T) {
	server := newAPI(t, "t")
	s := transport.NewSwap(server.endpoint(t, "t"), transport.SwapOptions{})
	o := within(t, openWatch(t, s, resuming))
	if o.err != nil {
		t.Fatal(o.err)
	}
	ended := readAll(o.resp.Body)
	server.set("t", http.StatusServiceUnavailable)
	opening := openWatch(t, s, resuming)
	eventually.Eventually(t, patience, "the watch is parked", parked(s, 1))
	s.Close()
	if err := end(t, ended); err != nil {
		t.Error(err)
	}
	if o := within(t, opening); !errors.Is(o.err, transport.ErrClosed) {
		t.Errorf("parked watch: want ErrClosed, got %+v", o)
	}
	if _, err := send(t.Context(), s, http.MethodGet, "/version", nil); !errors.Is(err, transport.ErrClosed) {
		t.Errorf("later call: want ErrClosed, got %v", err)
	}
}

func TestReaderThatClosesIsNotToldOfAnEnd(t *testing.T) {
	server := newAPI(t, "t")
	s := newSwap(t, server.endpoint(t, "t"), transport.SwapOptions{})
	o := within(t, openWatch(t, s, resuming))
	if o.err != nil {
		t.Fatal(o.err)
	}
	if err := o.resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := o.resp.Body.Read(make([]byte, 100)); err == nil {
		if _, err = io.ReadAll(o.resp.Body); err == nil {
			t.Error("a closed body can be read on")
		}
	}
	if open := s.Watches().Open; open != 0 {
		t.Errorf("%d streams are still counted", open)
	}
}
