package integration

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// footprint is what a process holds after it has settled.
type footprint struct {
	goroutines, files int
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
	return footprint{goroutines: runtime.NumGoroutine(), files: len(files), heap: stats.HeapAlloc}
}

// exceeds says what has grown beyond what noise explains.
func (p footprint) exceeds(before footprint) error {
	if p.goroutines > before.goroutines+10 || p.files > before.files+6 || p.heap > before.heap+4<<20 {
		return fmt.Errorf("before %+v, after %+v", before, p)
	}
	return nil
}

// rotate rewrites the Secret n times with a new client certificate each, and every tenth time has the connection made anew.
func rotate(t *testing.T, n int) {
	leaks := goleak.IgnoreCurrent()
	f := newFixture(t, nil)
	kubeconfigs := make([][]byte, 20) // making keys is not what is measured
	for i := range kubeconfigs {
		kubeconfigs[i] = f.certificate(east, "system:masters")
	}
	f.config("east", kubeconfigs[0])
	f.connects("east")
	turn := func(i int) {
		f.rewrite("east", kubeconfigs[i%len(kubeconfigs)])
		f.rotated("east", i)
		if i%10 == 0 {
			connects := f.counter("clientmgr_connects_total", "east")
			f.InvalidateClient("east")
			eventually(t, 30*time.Second, func() error {
				if f.counter("clientmgr_connects_total", "east") == connects {
					return fmt.Errorf("not made anew")
				}
				return nil
			})
			f.connects("east")
		}
	}
	warm := 20
	for i := 1; i <= warm; i++ {
		turn(i)
	}
	before := f.footprint()
	for i := warm + 1; i <= warm+n; i++ {
		turn(i)
	}
	var after footprint
	eventually(t, 90*time.Second, func() error { // connections that were busy at a swap are closed within 30 s
		after = f.footprint()
		return after.exceeds(before)
	})
	t.Logf("%d rotations: before %+v, after %+v", n, before, after)
	f.connects("east")
	f.stop()
	noLeak(t, leaks)
}

// noLeak fails the test if goroutines outlive it, but for those of the tests' own connections: golang.org/x/net/http2 serves the
// administrators, and no transport of the manager.
func noLeak(t *testing.T, known ...goleak.Option) {
	t.Helper()
	for _, p := range []*plane{supervisor, east, west} {
		utilnet.CloseIdleConnectionsFor(p.http.Transport)
	}
	for _, function := range []string{"readLoop", "ping", "ping.func1", "healthCheck"} {
		known = append(known, goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*ClientConn)."+function))
	}
	eventually(t, 30*time.Second, func() error { return goleak.Find(known...) })
}

func TestRotationsLeaveNothingBehind(t *testing.T) { rotate(t, 200) }

func TestLongRotationsLeaveNothingBehind(t *testing.T) { rotate(t, 1000) }

func TestManyClustersComeAndGo(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	f := newFixture(t, func(o *clientmgr.Options) { o.BackoffMax = 200 * time.Millisecond })
	kubeconfig := f.admin(west, west.Addr())
	for round := range 5 {
		for i := range 4 {
			f.config(fmt.Sprintf("west-%d-%d", round, i), kubeconfig)
		}
		for i := range 4 {
			f.connects(fmt.Sprintf("west-%d-%d", round, i))
		}
		for i := range 4 {
			f.forget(fmt.Sprintf("west-%d-%d", round, i))
		}
	}
	eventually(t, 10*time.Second, func() error {
		families, err := f.registry.Gather()
		if err != nil || len(families) > 0 {
			return fmt.Errorf("metrics of clusters that are gone: %v, %w", families, err)
		}
		return nil
	})
	f.stop()
	noLeak(t, leaks)
}
