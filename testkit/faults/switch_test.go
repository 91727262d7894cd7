package faults_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// A thousand requests and a few watches while faults flip: nothing hangs, nothing is left, and all
// is well after the last pass.
func TestSwitchingUnderLoad(t *testing.T) {
	for _, terminated := range []bool{false, true} {
		t.Run(fmt.Sprintf("terminated=%t", terminated), func(t *testing.T) {
			w := newWorld(t)
			before := goleak.IgnoreCurrent()
			opts := w.options
			opts.Terminate = terminated
			p, err := faults.Start(opts)
			if err != nil {
				t.Fatal(err)
			}
			load, stop := context.WithCancel(t.Context())
			defer stop()
			clients := []*http.Client{w.client(t, "h1"), w.client(t, "h2")}
			var left atomic.Int64
			left.Store(1000)
			var workers, others sync.WaitGroup
			for i := range 16 {
				workers.Go(func() {
					for left.Add(-1) >= 0 {
						try(t, clients[i%2], p, []string{"/pods", "/pods?watch=true", "/whoami"}[i%3])
					}
				})
			}
			for range 2 { // two who set faults at the same time
				others.Go(func() { flip(load, t, p) })
			}
			workers.Wait()
			stop()
			others.Wait()
			set(t, p, "pass", "")
			for _, protocol := range []string{"h1", "h2"} {
				if got := call(t, p, w.client(t, protocol), http.MethodGet, answered); got != answered {
					t.Errorf("after all: %s", got)
				}
			}
			for _, c := range clients {
				c.CloseIdleConnections()
			}
			closeProxy(t, p)
			if got := p.Stats(); got.Open != 0 || got.OpenWatches != 0 || got.Injected == 0 {
				t.Errorf("after Close: %+v", got)
			}
			w.api.CloseClientConnections()
			if err := goleak.Find(before, goleak.IgnoreAnyFunction("net/http.(*Server).Serve")); err != nil {
				t.Error(err)
			}
		})
	}
}

// try makes one call that may fail, but not hang.
func try(t *testing.T, c *http.Client, p *faults.Proxy, path string) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	method := http.MethodGet
	if path == "/whoami" {
		method, path = http.MethodPost, "/pods"
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://"+p.Addr()+path, strings.NewReader("body"))
	if err != nil {
		t.Error(err)
		return
	}
	start := time.Now()
	if resp, err := c.Do(r); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if took := time.Since(start); took > patience {
		t.Errorf("%s %s hung for %s", method, path, took)
	}
}

// flip goes round the faults until ctx ends.
func flip(ctx context.Context, t *testing.T, p *faults.Proxy) {
	round := [][2]string{
		{"pass", ""}, {"blackhole", ""}, {"reset", ""}, {"pass", ""}, {"refuse", ""}, {"latency=1ms", ""}, {"errors=0.5", ""},
		{"unauthorized", "write"}, {"stall", ""}, {"cut", ""}, {"blackhole", "list"}, {"reset", "watch"},
		{"latency=5ms", "write"},
		{"refuse", "dial"}, {"blackhole", "dial"}, {"reset", "dial"}, {"latency=2ms", "dial"},
	}
	for i := 0; ctx.Err() == nil; i++ {
		f, err := faults.ParseFault(round[i%len(round)][0], round[i%len(round)][1])
		if err != nil {
			t.Error(err)
			return
		}
		if err := p.Set(f); err != nil {
			t.Errorf("Set(%s): %v", f, err)
		}
		_ = p.Fault()
		_ = p.Stats()
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func TestConcurrentSetAndClose(t *testing.T) {
	w := newWorld(t)
	p := w.proxy(t, nil)
	var setters sync.WaitGroup
	for range 8 {
		setters.Go(func() {
			for _, k := range []faults.Kind{faults.Refuse, faults.Pass, faults.Stall, faults.Cut, faults.Reset,
				faults.Blackhole} {
				for range 20 {
					if err := p.Set(faults.Fault{Kind: k}); err != nil && !errors.Is(err, faults.ErrClosed) {
						t.Errorf("Set(%s): %v", k, err)
					}
				}
			}
		})
	}
	eventually.Eventually(t, patience, "some faults have been set", eventually.True(func() bool {
		return p.Fault().Kind != faults.Pass
	}))
	closeProxy(t, p)
	setters.Wait()
}

func TestErrorsHitTheirShare(t *testing.T) {
	w := newWorld(t)
	p := w.proxy(t, terminate)
	set(t, p, "errors=0.3", "list")
	c := w.client(t, "h2")
	hit := 0
	for range 300 {
		if call(t, p, c, http.MethodGet, answered) == status5 {
			hit++
		}
	}
	if hit < 60 || hit > 120 {
		t.Errorf("%d of 300 requests failed, want about 90", hit)
	}
	if got := p.Stats(); got.Injected != uint64(hit) || got.Lists != 300 {
		t.Errorf("%+v, want %d injected of 300 lists", got, hit)
	}
}
