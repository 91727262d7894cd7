package moves_test

import (
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// TestModel explores the judge in an operator whose every write may be the last one before a crash.
func TestModel(t *testing.T) { exploreAll(t, operator{rare: 1}) }

// TestLongModel is TestModel with two rare things in each history, and with three where what the target
// fetches with is left out: more states do not fit into the memory of a small machine.
func TestLongModel(t *testing.T) {
	exploreAll(t, operator{rare: 2})
	exploreAll(t, operator{rare: 3, withoutFeed: true})
}

func exploreAll(t *testing.T, o operator) {
	begin := time.Now()
	o.next = moves.Case.Next
	r := explore(o, 100_000_000)
	t.Logf("%d rare things a history: %d states in %s", o.rare, r.states, time.Since(begin).Round(time.Millisecond))
	if r.broken != "" {
		t.Errorf("%s", r)
	}
}
