package plugins_test

import (
	"fmt"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// hotPaths are the numbers of candidates, and how often one question to all strategies of the
// default chain may allocate in one process. Times are the machine's; allocations are ours.
var hotPaths = map[int]struct {
	reason string
	allocs float64
}{
	3:   {reason: "a small fleet", allocs: 6},
	50:  {reason: "a fleet as the bench has it", allocs: 6},
	500: {reason: "what a question costs grows at most as the candidates do", allocs: 7},
}

// TestHotPaths fails when a path allocates more than it did. Who has a reason raises the bound.
func TestHotPaths(t *testing.T) {
	chain := inProcess()
	for count, path := range hotPaths {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			req := fleet(count)
			got := testing.AllocsPerRun(100, func() {
				if _, trace, err := chain.Place(t.Context(), placement.Given(req)); err != nil {
					t.Fatal(trace, err)
				}
			})
			if got > path.allocs {
				t.Errorf("%s: %v allocations, the bound is %v", path.reason, got, path.allocs)
			}
		})
	}
}
