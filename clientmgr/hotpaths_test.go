package clientmgr

import (
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// hotPaths are the functions that run for each pass or each event, and how often one call may
// allocate. Times are the machine's; allocations are ours. TestLookupAllocatesNothing holds the
// look-ups that find a connection.
var hotPaths = map[string]struct {
	reason string
	allocs float64
	begin  func(t testing.TB) func()
}{
	"GetClientForConfig": {
		reason: "each pass looks its connection up", allocs: 0,
		begin: func(t testing.TB) func() {
			m, ctx := connectedManager(t, 3), t.Context()
			return func() {
				if _, err := m.GetClientForConfig(ctx, "cluster-1"); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	"GetOrCreateClientFromMachine": {
		reason: "each pass looks the connection of its Machine up", allocs: 0,
		begin: func(t testing.TB) func() {
			m, ctx, machine := connectedManager(t, 3), t.Context(), placed("cluster-1", "uid-1")
			return func() {
				if _, _, err := m.GetOrCreateClientFromMachine(ctx, machine); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	"kubeconfig.Parse": {
		reason: "a kubeconfig that is new is read", allocs: 670,
		begin: func(t testing.TB) func() {
			content := standIns(t)("uid")
			return func() {
				if _, err := kubeconfig.Parse(content, kubeconfig.Options{}); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	"Parser.Parse": {
		reason: "a kubeconfig that was read before is not read again", allocs: 0,
		begin: func(t testing.TB) func() {
			content := standIns(t)("uid")
			var parser kubeconfig.Parser
			return func() {
				if _, err := parser.Parse(content, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
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
