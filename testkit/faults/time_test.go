package faults_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

func TestEventsAreFlushedAtOnce(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		w := newWorld(t)
		p := w.proxy(t, terminate)
		s := openWatch(t, w, p, w.client(t, protocol))
		best := time.Hour
		for range 50 {
			start := time.Now()
			w.api.emit("event")
			s.wantNext(t, "event")
			best = min(best, time.Since(start))
		}
		if best > 20*time.Millisecond {
			t.Errorf("the fastest of 50 events took %s", best)
		}
	})
}

func TestLatencyDelaysBytesAndKeepsTheirFlow(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		clock := clocktesting.NewFakeClock(time.Unix(1, 0))
		w := newWorld(t)
		p := w.proxy(t, func(o *faults.Options) { o.Clock = clock })
		s := openWatch(t, w, p, w.client(t, protocol))
		set(t, p, "latency=10s", "")
		w.api.emit("one")
		eventually.Eventually(t, patience, "the event waits", eventually.True(clock.HasWaiters))
		clock.Step(9 * time.Second)
		w.api.emit("two")
		s.wantSilence(t)
		clock.Step(time.Second)
		s.wantNext(t, "one")
		s.wantSilence(t)
		clock.Step(9 * time.Second)
		s.wantNext(t, "two")
	})
}

func TestCloseWithOpenStreamsIsPrompt(t *testing.T) {
	for _, spec := range []string{"pass", "stall", "blackhole", "latency=1h"} {
		for _, terminated := range []bool{false, true} {
			byProtocol(t, func(t *testing.T, protocol string) {
				w := newWorld(t)
				p := w.proxy(t, func(o *faults.Options) { o.Terminate = terminated })
				var streams []*stream
				for range 5 {
					streams = append(streams, openWatch(t, w, p, w.client(t, protocol)))
				}
				set(t, p, spec, "")
				w.api.emit("event")
				start := time.Now()
				closeProxy(t, p)
				if took := time.Since(start); took > 3*time.Second {
					t.Errorf("%s: Close took %s", spec, took)
				}
				for _, s := range streams {
					for got := ""; !strings.HasPrefix(got, "end"); {
						if got = s.next(t); got == "silence" {
							t.Fatalf("%s: a stream outlives Close", spec)
						}
					}
				}
				if err := p.Set(faults.Fault{}); !errors.Is(err, faults.ErrClosed) {
					t.Errorf("Set after Close: %v, want %v", err, faults.ErrClosed)
				}
				closeProxy(t, p)
			})
		}
	}
}
