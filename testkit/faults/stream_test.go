package faults_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// stream is an open watch whose lines come on a channel, which closes when it ends, for the reason
// in err.
type stream struct {
	lines chan string
	err   error
	body  io.Closer
}

func openWatch(t *testing.T, w *world, p *faults.Proxy, c *http.Client) *stream {
	t.Helper()
	before := w.api.watching()
	resp, err := c.Get("https://" + p.Addr() + "/pods?watch=1&timeoutSeconds=600")
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("watch: %s", resp.Status)
	}
	if got := w.api.watching(); got <= before {
		t.Fatalf("the API server has %d watches, want more than %d", got, before)
	}
	s := &stream{lines: make(chan string, 100), body: resp.Body}
	go func() {
		defer close(s.lines)
		scanner := bufio.NewScanner(resp.Body)
		for scanner.Scan() {
			s.lines <- scanner.Text()
		}
		s.err = scanner.Err()
	}()
	t.Cleanup(func() { _ = resp.Body.Close() })
	return s
}

// next returns the next line, or how the stream ended.
func (s *stream) next(t *testing.T) string {
	t.Helper()
	select {
	case line, open := <-s.lines:
		if !open {
			return fmt.Sprintf("end: %v", s.err)
		}
		return line
	case <-time.After(patience):
		return "silence"
	}
}

func (s *stream) wantNext(t *testing.T, want string) {
	t.Helper()
	if got := s.next(t); got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func (s *stream) wantSilence(t *testing.T) {
	t.Helper()
	select {
	case line, open := <-s.lines:
		t.Fatalf("got %q (open: %t, %v), want silence", line, open, s.err)
	case <-time.After(silence):
	}
}

func terminate(o *faults.Options) { o.Terminate = true }

func byProtocol(t *testing.T, test func(t *testing.T, protocol string)) {
	t.Helper()
	for _, protocol := range []string{"h1", "h2"} {
		t.Run(protocol, func(t *testing.T) { test(t, protocol) })
	}
}

// The faults that silence open watches lose nothing: what was withheld comes when they end.
func TestWithheldBytesComeLater(t *testing.T) {
	cases := map[string]struct {
		reason     string
		spec, on   string
		terminated bool
	}{
		"Stall":          {"The watch's own fault", "stall", "", true},
		"BlackholeWatch": {"A black hole for watches alone", "blackhole", "watch", true},
		"Blackhole":      {"A partition, seen from a terminated watch", "blackhole", "", true},
		"PassedThrough":  {"A partition, the watch passed through", "blackhole", "", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			byProtocol(t, func(t *testing.T, protocol string) {
				w := newWorld(t)
				p := w.proxy(t, func(o *faults.Options) { o.Terminate = tc.terminated })
				s := openWatch(t, w, p, w.client(t, protocol))
				w.api.emit("one")
				s.wantNext(t, "one")
				set(t, p, tc.spec, tc.on)
				w.api.emit("two")
				w.api.emit("three")
				s.wantSilence(t)
				set(t, p, "pass", "")
				s.wantNext(t, "two")
				s.wantNext(t, "three")
				w.api.emit("four")
				s.wantNext(t, "four")
			})
		})
	}
}

func TestStallHoldsEvenTheEnd(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		w := newWorld(t)
		p := w.proxy(t, terminate)
		s := openWatch(t, w, p, w.client(t, protocol))
		set(t, p, "stall", "")
		w.api.CloseClientConnections()
		s.wantSilence(t)
		set(t, p, "pass", "")
		if got := s.next(t); !strings.HasPrefix(got, "end: ") {
			t.Errorf("got %q, want the end", got)
		}
	})
}

func TestCutEndsWatchesCleanlyAndNothingElse(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		w := newWorld(t)
		p := w.proxy(t, terminate)
		watcher, poster := w.client(t, protocol), w.client(t, protocol)
		s := openWatch(t, w, p, watcher)
		slow, post := io.Pipe()
		posted := make(chan error, 1)
		go func() {
			resp, err := poster.Post("https://"+p.Addr()+"/big", "text/plain", slow)
			if err == nil {
				var echo []byte
				if echo, err = io.ReadAll(resp.Body); err == nil && string(echo) != "half of it, and the rest" {
					err = errors.New("echo: " + string(echo))
				}
				_ = resp.Body.Close()
			}
			posted <- err
		}()
		fmt.Fprint(post, "half of it")
		open := p.Stats().Open
		set(t, p, "cut", "")
		s.wantNext(t, "end: <nil>")
		if got, want := p.Fault(), (faults.Fault{Kind: faults.Pass, On: faults.All}); got != want {
			t.Errorf("after the cut: %v, want %v", got, want)
		}
		if got := p.Stats().Open; got != open {
			t.Errorf("connections: %d, want %d as before", got, open)
		}
		fmt.Fprint(post, ", and the rest")
		_ = post.Close()
		if err := <-posted; err != nil {
			t.Errorf("the write beside: %v", err)
		}
		again := openWatch(t, w, p, watcher)
		w.api.emit("on")
		again.wantNext(t, "on")
		eventually.Eventually(t, patience, "the API server has lost the watch that was cut", eventually.True(func() bool {
			return w.api.watching() == 1
		}))
	})
}

func TestResetAbortsOpenWatches(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		for _, on := range []string{"all", "watch"} {
			w := newWorld(t)
			p := w.proxy(t, terminate)
			s := openWatch(t, w, p, w.client(t, protocol))
			set(t, p, "reset", on)
			if got := s.next(t); !strings.HasPrefix(got, "end: ") || got == "end: <nil>" {
				t.Errorf("on %s: got %q, want an end with an error", on, got)
			}
			set(t, p, "pass", "")
		}
	})
}

func TestOpenWatchesOutliveFaultsOnRequests(t *testing.T) {
	for _, spec := range []string{"errors=1", "unauthorized"} {
		byProtocol(t, func(t *testing.T, protocol string) {
			w := newWorld(t)
			p := w.proxy(t, terminate)
			s := openWatch(t, w, p, w.client(t, protocol))
			set(t, p, spec, "")
			w.api.emit("on")
			s.wantNext(t, "on")
		})
	}
}

// A client that leaves a swallowed or withheld request takes everything of it along.
func TestLeavingClientsLeaveNothing(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		w := newWorld(t)
		p := w.proxy(t, terminate)
		c := w.client(t, protocol)
		s := openWatch(t, w, p, c)
		set(t, p, "stall", "")
		_ = s.body.Close()
		eventually.Eventually(t, patience, "the stalled watch is gone", eventually.True(func() bool {
			return w.api.watching() == 0 && p.Stats().OpenWatches == 0
		}))
		set(t, p, "blackhole", "write")
		if got := call(t, p, c, http.MethodPost, silent); got != silent {
			t.Fatalf("got %s, want silence", got)
		}
		eventually.Eventually(t, patience, "the swallowed write is gone", eventually.True(func() bool {
			c.CloseIdleConnections()
			return p.Stats().Open == 0
		}))
		if got := w.api.written(); got != 0 {
			t.Errorf("the API server saw %d writes, want none: swallowed is not late", got)
		}
	})
}
