package moves_test

import (
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody/moves"
)

// The states that the models have. deploy/docs/protocol.md tells them.
const (
	shortStates = 742_496
	longStates  = 6_968_372
	rareStates  = 22_136_828
)

// TestModel explores the judge in an operator whose every write may be the last one before a crash.
func TestModel(t *testing.T) { exploreAll(t, operator{rare: 1}, shortStates) }

// TestLongModel is TestModel with two rare things in each history, and with three where what the target
// fetches with is left out: more states do not fit into the memory of a small machine.
func TestLongModel(t *testing.T) {
	exploreAll(t, operator{rare: 2}, longStates)
	exploreAll(t, operator{rare: 3, withoutFeed: true}, rareStates)
}

func exploreAll(t *testing.T, o operator, states int) {
	begin := time.Now()
	o.next = moves.Case.Next
	r := explore(o, 100_000_000)
	t.Logf("%d rare things a history: %d states in %s", o.rare, r.states, time.Since(begin).Round(time.Millisecond))
	switch {
	case r.broken != "":
		t.Errorf("%s", r)
	case r.states != states:
		t.Errorf("%d states, not %d: if that is meant, tell it here and in deploy/docs/protocol.md", r.states, states)
	}
}
