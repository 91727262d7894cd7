package v1alpha1

import "testing"

// hotPaths are the functions that run for each event, and how often one call may allocate. Times
// are the machine's; allocations are ours.
var hotPaths = map[string]struct {
	reason string
	allocs float64
	begin  func(t testing.TB) func()
}{
	"ParseLedger": {
		reason: "each pass reads the ledger", allocs: 98,
		begin: func(t testing.TB) func() {
			text := hotLedger.String()
			return func() {
				if _, err := ParseLedger(text); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	"Ledger.String": {
		reason: "each write of the record writes the ledger", allocs: 6,
		begin: func(testing.TB) func() { return func() { _ = hotLedger.String() } },
	},
}

var hotLedger = Ledger{
	Config: "cluster-east", ClusterUID: "490cd53b-d822-4ba7-925a-5a3bd36d3d76", Namespace: "team", VMName: "vm-web",
	Nonce: "k7m2x9", VMUID: "9016ca8b-b767-43dc-b247-52581d190346",
}

// TestHotPaths fails when a path allocates more than it did. Who has a reason raises the bound.
func TestHotPaths(t *testing.T) {
	for name, path := range hotPaths {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, path.begin(t)); got > path.allocs {
				t.Errorf("%s: %v allocations, the bound is %v", path.reason, got, path.allocs)
			}
		})
	}
}

func BenchmarkHotPaths(b *testing.B) {
	for name, path := range hotPaths {
		b.Run(name, func(b *testing.B) {
			do := path.begin(b)
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}
