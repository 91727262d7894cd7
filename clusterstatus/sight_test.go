package clusterstatus

import (
	"errors"
	"testing"
	"time"
)

func TestLooksSeldom(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	step := func(reason string, after time.Duration, lists int) {
		t.Helper()
		w.clock.SetTime(w.clock.Now().Add(after))
		w.reconcile()
		if w.remote.lists != lists {
			t.Errorf("%s: %d looks, want %d", reason, w.remote.lists, lists)
		}
	}
	step("the first", 0, 1)
	step("too early", lookInterval-time.Second, 1)
	step("due", time.Second, 2)
	w.remotes.SetState(away(0))
	step("no connection, no look", lookInterval, 2)
	again := well()
	again.Since = w.clock.Now()
	w.remotes.SetState(again)
	step("the state changed", 0, 3)
	w.remote.err = errors.New("broken")
	step("due", lookInterval, 4)
	step("no answer: too early", lookAgain-time.Second, 4)
	step("no answer: again", time.Second, 5)
}
