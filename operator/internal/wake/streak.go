package wake

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// The back-off of a Machine: the first wait after a failed attempt, and the longest.
const (
	FirstWait   = time.Second
	LongestWait = 5 * time.Minute
)

// Streaks counts the failed attempts of each Machine since its last success. The zero value is
// empty. It is safe for concurrent use.
type Streaks struct {
	mu     sync.Mutex
	locked map[types.NamespacedName]Streak
}

// Streak is an unbroken row of failed attempts.
type Streak struct {
	// Ask is what the Machine asked for in the row. A Machine that asks for something else begins
	// another row.
	Ask string
	// Cause tells rows apart. Another cause keeps the count, so that two causes that take turns are
	// spaced too.
	Cause string
	// Since is when Cause was met first, Failed how often attempts failed.
	Since  time.Time
	Failed int
	// Repeated is how often the same was met again before it was due.
	Repeated int
	// Due is when the next attempt may be made, Last the error of the last one.
	Due  time.Time
	Last error
}

// Wait is the time until the next attempt.
func (s Streak) Wait() time.Duration {
	if s.Failed == 0 {
		return 0
	}
	wait := FirstWait
	for range min(s.Failed-1, 16) {
		wait *= 2
	}
	return min(wait, LongestWait)
}

// Fail counts a failed attempt and returns the row that it belongs to.
func (s *Streaks) Fail(key types.NamespacedName, ask, cause string, last error, now time.Time) Streak {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, found := s.locked[key]
	if !found || row.Ask != ask {
		row = Streak{Ask: ask, Cause: cause, Since: now}
	}
	if now.Before(row.Due) && row.Cause == cause {
		row.Repeated++ // the last attempt stands
		s.locked[key] = row
		return row
	}
	if row.Cause != cause {
		row.Cause, row.Since = cause, now
	}
	row.Failed, row.Repeated = row.Failed+1, 0
	row.Due, row.Last = now.Add(row.Wait()), last
	if s.locked == nil {
		s.locked = map[types.NamespacedName]Streak{}
	}
	s.locked[key] = row
	return row
}

// Of returns the row of a Machine that asks for the same as in its last attempt; found is false
// where there is none.
func (s *Streaks) Of(key types.NamespacedName, ask string) (row Streak, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, found = s.locked[key]
	return row, found && row.Ask == ask
}

// End ends a Machine's row: an attempt succeeded, or the Machine is gone.
func (s *Streaks) End(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.locked, key)
}
