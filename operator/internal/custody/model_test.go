package custody_test

import (
	"testing"
	"time"
)

// shapes are the worlds that the model explores.
func shapes(rare uint8) map[string]shape {
	return map[string]shape{
		"TwoNames":         {configs: []number{1, 2}, rare: rare}, // two whole lives side by side are many states
		"NameMadeAnew":     {configs: []number{1, 2}, rare: rare, sameName: true},
		"TwoConfigsOfEast": {configs: []number{1, 2, 3}, rare: rare, sameName: true},
	}
}

func exploreAll(t *testing.T, rare uint8) {
	for name, s := range shapes(rare) {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			r := explore(newOperator(s), 50_000_000)
			t.Logf("%d rare actions a history: %d states in %s", rare, r.states, time.Since(begun).Round(time.Millisecond))
			if r.broken != "" {
				t.Errorf("\n%s", r)
			}
		})
	}
}

// TestModel explores the judge in an operator whose every write may be the last one before a crash.
func TestModel(t *testing.T) { exploreAll(t, 1) }

// TestLongModel is TestModel with two rare actions in each history.
func TestLongModel(t *testing.T) { exploreAll(t, 2) }
