package observer

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

// TestExcuse: what a person did is not found, and everything else of the same object is.
func TestExcuse(t *testing.T) {
	uid := types.UID("machine")
	found := []Violation{{Invariant: "I1", about: []types.UID{uid}}, {Invariant: "I2", about: []types.UID{uid}},
		{Invariant: "I1", about: []types.UID{"another"}}}
	for name, c := range map[string]struct {
		reason  string
		excuses []excuse
		want    int
	}{
		"nothing is excused": {reason: "all are told", want: 3},
		"one invariant of one Machine": {reason: "the other two are told",
			excuses: []excuse{{uid: uid, invariants: []string{"I1"}}}, want: 2},
		"a whole Machine": {reason: "another one is told", excuses: []excuse{{uid: uid}}, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := unexcused(found, c.excuses); len(got) != c.want {
				t.Errorf("%s: %v", c.reason, got)
			}
		})
	}
}
