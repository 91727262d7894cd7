package crdcheck_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestCacheCompilesOnce: eight clusters with the same definition, read at once, compile it once and
// agree.
func TestCacheCompilesOnce(t *testing.T) {
	var (
		cache     crdcheck.Cache
		readers   sync.WaitGroup
		snapshots = make([]crdcheck.Snapshot, 8)
	)
	for i := range snapshots {
		readers.Go(func() {
			crd := widget(t)
			crd.UID, crd.ResourceVersion = "other", "other" // each cluster has its own
			d, err := cache.Compile(&crd)
			if err != nil {
				t.Error(err)
			}
			snapshots[i] = crdcheck.Gathered(string(rune('a'+i)), d)
		})
	}
	readers.Wait()
	if n := cache.Compiled(); n != 1 {
		t.Errorf("%d compilations of one definition", n)
	}
	if report := crdcheck.Fleet(snapshots, []string{"widgets.example.com"}); !report.OK() {
		t.Errorf("they differ: %+v", report.Findings)
	}
	other := widget(t, "minimum: 1", "minimum: 2")
	if _, err := cache.Compile(&other); err != nil || cache.Compiled() != 2 {
		t.Errorf("another definition is another compilation: %d, %v", cache.Compiled(), err)
	}
	runtime.KeepAlive(snapshots)
}

// TestCacheLetsGo: what no snapshot holds any more is not kept, and is compiled anew when it comes
// back.
func TestCacheLetsGo(t *testing.T) {
	var cache crdcheck.Cache
	crd := widget(t)
	for round := range 2 {
		if _, err := cache.Compile(&crd); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC()
		if n := cache.Compiled(); n != round+1 {
			t.Errorf("round %d: %d compilations", round, n)
		}
	}
}

func TestCacheRefuses(t *testing.T) {
	var cache crdcheck.Cache
	crd := widget(t, "name: v1beta1", "name: v2")
	crd.Spec.Versions[1].Name = "v1"
	for range 2 {
		if _, err := cache.Compile(&crd); err == nil {
			t.Error("two versions of one name are no definition")
		}
	}
	good := widget(t)
	d, err := cache.Compile(&good)
	if err != nil {
		t.Fatal(err)
	}
	if report := crdcheck.Fleet([]crdcheck.Snapshot{crdcheck.Gathered("a", d, d)}, []string{d.Name()}); report.OK() {
		t.Error("two definitions of one name are known")
	}
}
