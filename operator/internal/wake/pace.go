package wake

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// GatherTime is how long small changes of a status are gathered after a write. A Machine on its way
// up goes through many within a second.
const GatherTime = time.Second

// Pace remembers when each Machine's status was written last, for GatherTime. The zero value is
// empty. It is safe for concurrent use.
type Pace struct {
	mu     sync.Mutex
	locked map[types.UID]time.Time
}

// Wrote tells of a write.
func (p *Pace) Wrote(uid types.UID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for old, at := range p.locked {
		if now.Sub(at) >= GatherTime {
			delete(p.locked, old)
		}
	}
	if p.locked == nil {
		p.locked = map[types.UID]time.Time{}
	}
	p.locked[uid] = now
}

// Remaining is how long a small change has still to wait.
func (p *Pace) Remaining(uid types.UID, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, found := p.locked[uid]
	if !found {
		return 0
	}
	return max(0, GatherTime-now.Sub(at))
}

// Soonest is the shortest of the times that are not 0; 0 where there is none.
func Soonest(times ...time.Duration) time.Duration {
	times = slices.DeleteFunc(times, func(d time.Duration) bool { return d <= 0 })
	if len(times) == 0 {
		return 0
	}
	return slices.Min(times)
}
