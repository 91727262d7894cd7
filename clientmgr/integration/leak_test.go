package integration

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/metrics"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// The tests in this file look at the whole process, so they run beside no other.

// transports is client-go's own count of the TLS transports that it keeps: none of them may be
// ours.
type transports struct{ entries atomic.Int64 }

// Observe implements metrics.TransportCacheMetric.
func (t *transports) Observe(entries int) { t.entries.Store(int64(entries)) }

var cachedTransports = countTransports()

func countTransports() *transports {
	t := &transports{}
	metrics.TransportCacheEntries = t // controller-runtime has used up metrics.Register
	return t
}

// footprint is what a process holds after it has settled.
type footprint struct {
	goroutines, files int
	transports        int64
	heap              uint64
}

func (f *fixture) footprint() footprint {
	f.t.Helper()
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	files, err := os.ReadDir("/proc/self/fd")
	f.must(err)
	return footprint{goroutines: runtime.NumGoroutine(), files: len(files), transports: cachedTransports.entries.Load(),
		heap: stats.HeapAlloc}
}

// exceeds says what has grown beyond what noise explains: heap by slack bytes.
func (p footprint) exceeds(before footprint, slack uint64) error {
	if p.goroutines > before.goroutines+10 || p.files > before.files+6 || p.transports > before.transports ||
		p.heap > before.heap+slack {
		return fmt.Errorf("before %+v, after %+v", before, p)
	}
	return nil
}

// long is the number of turns from which on even a small leak is told from noise.
const long = 200

const (
	// longSlack is how many bytes of heap a long loop may leave.
	longSlack = 1 << 19
	// settling is longer than connections that were busy at a swap are looked at again, for 30 s.
	settling = 90 * time.Second
)

// turns takes n turns, after some that warm up, and returns what the process held after those.
func (f *fixture) turns(n int, begin func(*fixture) func(turn int)) (before footprint) {
	f.t.Helper()
	turn := begin(f)
	const warm = 10
	for i := 1; i <= warm; i++ {
		turn(i)
	}
	before = f.footprint()
	for i := warm + 1; i <= warm+n; i++ {
		turn(i)
	}
	return before
}

// BenchmarkLeft prints what a thousand turns leave behind, once it has settled; below nothing is
// nothing. The tests of this file fail for it, and this says how much it is.
func BenchmarkLeft(b *testing.B) {
	for name, begin := range map[string]func(*fixture) func(int){"rotations": rotations, "reconnects": reconnects} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f := newFixture(b, nil)
				before := f.turns(1000, begin)
				after := f.footprint()
				_ = wait.PollUntilContextTimeout(b.Context(), time.Second, settling, true, // else it is reported
					func(context.Context) (bool, error) {
						former := after
						after = f.footprint()
						return after.exceeds(before, longSlack) == nil && after.heap+(8<<10) > former.heap, nil
					})
				f.stop()
				b.ReportMetric(float64(max(0, after.goroutines-before.goroutines)), "goroutines")
				b.ReportMetric(float64(max(0, after.files-before.files)), "files")
				b.ReportMetric(float64(max(0, after.transports-before.transports)), "transports")
				b.ReportMetric(max(0, float64(after.heap)-float64(before.heap))/1024, "heap-KiB")
			}
		})
	}
}

// repeat takes n turns, after some that warm up, and checks that they leave nothing behind. begin
// returns what one turn is; it is given the turn's number, from 1.
func repeat(t *testing.T, n int, begin func(*fixture) func(turn int)) {
	leaks := goleak.IgnoreCurrent()
	f := newFixture(t, nil)
	start := time.Now()
	before := f.turns(n, begin)
	took := time.Since(start)
	slack := uint64(4 << 20)
	if n >= long {
		slack = longSlack // and the time that it takes
	}
	var after footprint
	eventually.Eventually(t, settling, "the process is as small as before", func(context.Context) error {
		after = f.footprint()
		return after.exceeds(before, slack)
	})
	t.Logf("%d turns in %s: before %+v, after %+v", n, took.Round(time.Second), before, after)
	f.stop()
	noLeak(t, leaks)
}

// noLeak fails the test if goroutines outlive it, but for those of the tests' own connections:
// golang.org/x/net/http2 serves the administrators, and no transport of the manager.
func noLeak(t *testing.T, known ...goleak.Option) {
	t.Helper()
	for _, p := range []*plane{supervisor, east, west, north} {
		utilnet.CloseIdleConnectionsFor(p.http.Transport)
	}
	for _, function := range []string{"readLoop", "ping", "ping.func1", "healthCheck"} {
		known = append(known, goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*ClientConn)."+function))
	}
	eventually.Eventually(t, 30*time.Second, "no goroutine is left", func(context.Context) error {
		return goleak.Find(known...)
	})
}

// rotations rewrites the Secret with another client certificate at each turn.
func rotations(f *fixture) func(int) {
	kubeconfigs := make([][]byte, 20) // making keys is not what is measured
	for i := range kubeconfigs {
		kubeconfigs[i] = f.certificate(east, masters)
	}
	f.config("east", kubeconfigs[0])
	f.connects("east")
	return func(i int) {
		f.rewrite("east", kubeconfigs[i%len(kubeconfigs)])
		f.rotated("east", i)
		f.connects("east")
	}
}

// reconnects drops the connection at each turn, caches and all.
func reconnects(f *fixture) func(int) {
	f.config("east", f.certificate(east, masters))
	f.connects("east")
	f.must(east.admin.Create(f.t.Context(), f.configMap("held")))
	return func(i int) {
		f.InvalidateClient("east")
		eventually.Eventually(f.t, 30*time.Second, "the connection is made anew", func(context.Context) error {
			if got := f.counter("clientmgr_connects_total", "east"); got != float64(i+1) {
				return fmt.Errorf("connects: want %d, got %v", i+1, got)
			}
			return nil
		})
		f.connects("east")
		f.sees("east", "held")
	}
}

// comings adds a cluster at each turn, and removes it.
func comings(f *fixture) func(int) {
	kubeconfig := f.admin(west, west.Addr())
	return func(i int) {
		name := fmt.Sprintf("west-%d", i)
		f.config(name, kubeconfig)
		f.connects(name)
		f.forget(name)
		eventually.Eventually(f.t, 10*time.Second, "the metrics are gone", func(context.Context) error {
			families, err := f.registry.Gather()
			if err != nil || len(families) > 0 {
				return fmt.Errorf("metrics of clusters that are gone: %v, %w", families, err)
			}
			return nil
		})
	}
}

func TestRotationsLeaveNothingBehind(t *testing.T) { repeat(t, 50, rotations) }

func TestReconnectsLeaveNothingBehind(t *testing.T) { repeat(t, 30, reconnects) }

func TestClustersLeaveNothingBehind(t *testing.T) { repeat(t, 20, comings) }

func TestLongRotationsLeaveNothingBehind(t *testing.T) { repeat(t, 1000, rotations) }

func TestLongReconnectsLeaveNothingBehind(t *testing.T) { repeat(t, 1000, reconnects) }

func TestLongClustersLeaveNothingBehind(t *testing.T) { repeat(t, 200, comings) }
