package clusters

import "testing"

func TestSentence(t *testing.T) {
	for _, tc := range []struct{ reason, noun, text, want string }{
		{"a text that names nobody gets the name", "cluster", "connecting", "cluster east: connecting"},
		{"the noun alone is no name", "cluster", anotherAnswers, "cluster east: another cluster answers"},
		{"a text that names it stays as it is", "site", "site east leads to cluster a", "site east leads to cluster a"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			if got := (called{tc.noun, "east"}).sentence(tc.text); got != tc.want {
				t.Errorf("want %q, got %q", tc.want, got)
			}
		})
	}
}
