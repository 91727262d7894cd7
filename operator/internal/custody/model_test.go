package custody_test

import (
	"testing"
	"time"
)

// shapes are the worlds that the model explores, those with few states first. Two whole lives side
// by side are many states, so that the last one gets one rare action less.
func shapes(rare uint8) []shape {
	return []shape{
		{name: "NameMadeAnew", configs: []number{1, 2}, rare: rare, sameName: true},
		{name: "TwoConfigsOfEast", configs: []number{1, 2, 3}, rare: rare, sameName: true},
		{name: "TwoNames", configs: []number{1, 2}, rare: max(rare, 1) - 1},
	}
}

// The states that the two models have. deploy/docs/protocol.md tells them.
const (
	shortStates = 429_569
	longStates  = 19_433_735
)

func exploreAll(t *testing.T, rare uint8, states int) {
	all := 0
	for _, s := range shapes(rare) {
		t.Run(s.name, func(t *testing.T) {
			begun := time.Now()
			r := explore(newOperator(s), 200_000_000)
			t.Logf("%d rare actions a history: %d states in %s", s.rare, r.states, time.Since(begun).Round(time.Millisecond))
			all += r.states
			if r.broken != "" {
				t.Errorf("\n%s", r)
			}
			if r.cut {
				t.Error("there are more states than that: not all were visited")
			}
		})
	}
	if all != states && !t.Failed() {
		t.Errorf("%d states, not %d: if that is meant, tell it here and in deploy/docs/protocol.md", all, states)
	}
}

// TestModel explores the judge in an operator whose every write may be the last one before a crash.
func TestModel(t *testing.T) { exploreAll(t, 1, shortStates) }

// TestLongModel is TestModel with two rare actions in each history.
func TestLongModel(t *testing.T) { exploreAll(t, 2, longStates) }
