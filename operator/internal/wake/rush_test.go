package wake

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestRush(t *testing.T) {
	const self, other = types.UID("self"), types.UID("other")
	type guest struct {
		of types.UID
		at time.Duration
	}
	for name, test := range map[string]struct {
		reason string
		made   []guest
		at     time.Duration
		want   time.Duration
	}{
		"Alone": {"nobody else's guest is made", []guest{{self, 0}}, 0, 0},
		"Last":  {"the rush ends with its last guest", []guest{{other, 0}, {self, 1}}, 1, 0},
		"Other": {"another guest was made after its own", []guest{{self, 0}, {other, 10 * time.Millisecond}},
			20 * time.Millisecond, lull - 10*time.Millisecond},
		"Lull": {"nobody's guest was made for a while", []guest{{self, 0}, {other, 1}}, lull + 1, 0},
		"TooLong": {
			"a rush that does not end", []guest{{self, 0}, {other, rushPatience}}, rushPatience, 0,
		},
		"Nobody": {"its guest was made before this process ran", []guest{{other, 0}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			start, rush := time.Now(), Rush{}
			for _, made := range test.made {
				rush.Made(made.of, start.Add(made.at))
			}
			if got := rush.Remaining(self, start.Add(test.at)); got != test.want {
				t.Errorf("%s: the books wait %s, want %s", test.reason, got, test.want)
			}
		})
	}
}

// TestRushForgets: what waited once does not wait again, and nothing is kept of the others.
func TestRushForgets(t *testing.T) {
	start, rush := time.Now(), Rush{}
	rush.Made("a", start)
	rush.Made("b", start)
	if rush.Remaining("a", start.Add(lull)) != 0 {
		t.Fatal("the rush is over")
	}
	rush.Made("c", start.Add(rushPatience))
	if rush.Remaining("a", start.Add(rushPatience)) != 0 || len(rush.locked.made) != 1 {
		t.Errorf("kept of %d Machines", len(rush.locked.made))
	}
}
