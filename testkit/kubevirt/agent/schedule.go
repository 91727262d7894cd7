package agent

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// lockedSchedule remembers when things that take their time are due. Objects' own time stamps are
// whole seconds, too coarse for tests.
type lockedSchedule struct {
	mu  sync.Mutex
	due map[types.UID]map[string]time.Time
}

func newSchedule() *lockedSchedule { return &lockedSchedule{due: map[types.UID]map[string]time.Time{}} }

// left returns how long it is until what of uid is due; the first question starts the clock. It is
// never negative.
func (s *lockedSchedule) left(uid types.UID, what string, delay time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.due[uid] == nil {
		s.due[uid] = map[string]time.Time{}
	}
	due, known := s.due[uid][what]
	if !known {
		due = now.Add(delay)
		s.due[uid][what] = due
	}
	return max(0, due.Sub(now))
}

// forget drops everything about uid.
func (s *lockedSchedule) forget(uid types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.due, uid)
}
