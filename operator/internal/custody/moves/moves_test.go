package moves_test

import (
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// TestModel explores the judge in an operator whose every write may be the last one before a crash.
func TestModel(t *testing.T) { exploreAll(t, 1) }

// TestLongModel is TestModel with three rare things in each history.
func TestLongModel(t *testing.T) { exploreAll(t, 3) }

func exploreAll(t *testing.T, rare int) {
	begin := time.Now()
	r := explore(operator{next: moves.Case.Next, rare: rare}, 100_000_000)
	t.Logf("%d rare things a history: %d states in %s", rare, r.states, time.Since(begin).Round(time.Millisecond))
	if r.broken != "" {
		t.Errorf("%s", r)
	}
}
