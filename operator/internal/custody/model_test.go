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

func exploreAll(t *testing.T, rare uint8) {
	for _, s := range shapes(rare) {
		t.Run(s.name, func(t *testing.T) {
			begun := time.Now()
			r := explore(newOperator(s), 200_000_000)
			t.Logf("%d rare actions a history: %d states in %s", s.rare, r.states, time.Since(begun).Round(time.Millisecond))
			if r.broken != "" {
				t.Errorf("\n%s", r)
			}
			if r.cut {
				t.Error("there are more states than that: not all were visited")
			}
		})
	}
}

// TestModel explores the judge in an operator whose every write may be the last one before a crash.
func TestModel(t *testing.T) { exploreAll(t, 1) }

// TestLongModel is TestModel with two rare actions in each history.
func TestLongModel(t *testing.T) { exploreAll(t, 2) }
