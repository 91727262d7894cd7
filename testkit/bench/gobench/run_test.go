package gobench

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const out = `goos: linux
BenchmarkCachedPair/three_interfaces-2         	       1	  55 ns/op	         5.750 KiB/pair
BenchmarkChain/Exec/50-2	2000	  901 ns/op	  845.0 p50-µs	  3000 p99-µs
BenchmarkNumber/with-dash-and-7
BenchmarkAlone 3 4 ns/op
PASS
`
	want := map[string]Result{
		"BenchmarkCachedPair/three_interfaces": {"ns/op": 55, "KiB/pair": 5.75},
		"BenchmarkChain/Exec/50":               {"ns/op": 901, "p50-µs": 845, "p99-µs": 3000},
		"BenchmarkAlone":                       {"ns/op": 4},
	}
	got := parse(out)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("each benchmark has what it reported, by unit (-want +got):\n%s", diff)
	}
	if _, err := of(got, "BenchmarkAlone", "KiB/pair"); err == nil {
		t.Error("a unit that was not reported is no number")
	}
}
