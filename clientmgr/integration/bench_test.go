package integration

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// fleet is eight remote clusters: the three of the tests, and five that live as long as the
// benchmark.
func fleet(b *testing.B) []*plane {
	b.Helper()
	planes := []*plane{east, west, north}
	var (
		starts sync.WaitGroup
		mu     sync.Mutex
	)
	for i := len(planes); i < 8; i++ {
		starts.Go(func() {
			name := fmt.Sprintf("remote-%d", i)
			p, err := startPlane(context.Background(), name, filepath.Join(b.TempDir(), name+".audit"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				b.Error(err)
				return
			}
			planes = append(planes, p)
		})
	}
	starts.Wait()
	b.Cleanup(func() {
		for _, p := range planes[3:] {
			if err := p.Stop(); err != nil {
				b.Error(err)
			}
		}
	})
	if b.Failed() {
		b.FailNow()
	}
	return planes
}

// BenchmarkReady prints how long it takes until clusters are ready that are all added at once: one
// alone, eight, and four of eight while the other four are black-holed.
func BenchmarkReady(b *testing.B) {
	planes := fleet(b)
	for name, tc := range map[string]struct{ clusters, holes int }{
		"1 of 1": {1, 0}, "4 of 4": {4, 0}, "4 of 8, 4 black-holed": {4, 4}, "8 of 8": {8, 0},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				f := newFixture(b, nil, planes[2:]...)
				kubeconfigs := make([][]byte, 0, 8)
				for i, p := range planes[:tc.clusters+tc.holes] {
					addr := p.Addr()
					if i >= tc.clusters {
						proxy := f.proxy(p, false)
						f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
						addr = proxy.Addr()
					}
					kubeconfigs = append(kubeconfigs, f.admin(p, addr))
				}
				b.StartTimer()
				for i := range kubeconfigs { // the black-holed ones first
					f.config(fmt.Sprintf("remote-%d", len(kubeconfigs)-1-i), kubeconfigs[len(kubeconfigs)-1-i])
				}
				for i := range tc.clusters {
					f.connects(fmt.Sprintf("remote-%d", i))
				}
				b.StopTimer()
				f.stop()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkLookupBesideHoles prints what a look-up costs while four of eight clusters hang.
func BenchmarkLookupBesideHoles(b *testing.B) {
	f := newFixture(b, nil)
	for i := range 8 {
		addr := west.Addr()
		if i%2 == 0 {
			proxy := f.proxy(west, false)
			f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
			addr = proxy.Addr()
		}
		f.config(fmt.Sprintf("west-%d", i), f.admin(west, addr))
	}
	for i := 1; i < 8; i += 2 {
		f.connects(fmt.Sprintf("west-%d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.GetClientForConfig(b.Context(), "west-7"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRotation prints the time from a Secret's change to the use of its token, watches
// included, beside reads and writes none of which may fail.
func BenchmarkRotation(b *testing.B) {
	f := newFixture(b, nil)
	tokens := make([][]byte, 2)
	for i := range tokens {
		tokens[i] = f.admin(east, east.Addr())
	}
	f.config("east", tokens[0])
	f.connects("east")
	load, before, turns := f.load("east"), f.audited(east), 0
	for b.Loop() {
		turns++
		f.rewrite("east", tokens[turns%2])
		f.rotated("east", turns)
	}
	load.end()
	b.ReportMetric(float64(load.failures.Load()), "failures")
	b.ReportMetric(float64(f.audited(east).relists-before.relists), "relists")
}

// BenchmarkIdleConnection prints the heap of one connection that does nothing, of its caches,
// transport and clients. The operator's own benchmark has the kinds that it caches.
func BenchmarkIdleConnection(b *testing.B) {
	const connections = 50
	for b.Loop() {
		f := newFixture(b, func(o *clientmgr.Options) { o.Probe.Interval = time.Minute })
		kubeconfig := f.admin(west, west.Addr())
		f.config("warm", kubeconfig)
		f.connects("warm")
		before := f.footprint()
		for i := range connections {
			f.config(fmt.Sprintf("west-%d", i), kubeconfig)
		}
		for i := range connections {
			f.connects(fmt.Sprintf("west-%d", i))
		}
		after := f.footprint()
		b.ReportMetric(float64(after.heap-before.heap)/connections/1024, "heap-KiB/connection")
		b.ReportMetric(float64(after.goroutines-before.goroutines)/connections, "goroutines/connection")
		f.stop()
	}
}

// BenchmarkCachedRead prints what a read of a declared kind costs.
func BenchmarkCachedRead(b *testing.B) {
	f := newFixture(b, nil)
	f.config("west", f.admin(west, west.Addr()))
	f.connects("west")
	f.must(west.admin.Create(b.Context(), f.configMap("held")))
	f.sees("west", "held")
	remote := f.client("west")
	b.ReportAllocs()
	for b.Loop() {
		var held corev1.ConfigMap
		if err := remote.Get(b.Context(), f.key("held"), &held); err != nil {
			b.Fatal(err)
		}
	}
}
