package wake

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// lull is how long nobody else's guest was made when a rush is over.
	lull = 150 * time.Millisecond
	// rushPatience is how long the books of a Machine wait for a rush to end.
	rushPatience = 10 * time.Second
)

// Rush lets guests go before books: while other Machines' guests are being made, a Machine whose
// guest was just made waits with the rest of its record, its status and its Event. One that is
// created alone waits for nobody. The zero value knows of none. It is safe for concurrent use.
type Rush struct {
	mu     sync.Mutex
	locked struct {
		made map[types.UID]time.Time // whose books are not kept yet
		last types.UID               // whose guest was made last
		at   time.Time
	}
}

// Made tells that the guest of a Machine was made.
func (r *Rush) Made(machine types.UID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, at := range r.locked.made {
		if now.Sub(at) >= rushPatience {
			delete(r.locked.made, other)
		}
	}
	if r.locked.made == nil {
		r.locked.made = map[types.UID]time.Time{}
	}
	r.locked.made[machine] = now
	r.locked.last, r.locked.at = machine, now
}

// Remaining is how long the books of a Machine have still to wait, 0 for not. It is the time of the
// next look: more guests may have been made by then.
func (r *Rush) Remaining(machine types.UID, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, made := r.locked.made[machine]
	quiet := now.Sub(r.locked.at)
	if !made {
		return 0
	}
	if r.locked.last == machine || quiet >= lull || now.Sub(at) >= rushPatience {
		delete(r.locked.made, machine)
		return 0
	}
	return lull - quiet
}
