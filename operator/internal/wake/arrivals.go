package wake

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Arrivals remember, for each Machine whose status may not show it yet, when the oldest news of its
// remote cluster came. The zero value is empty. It is safe for concurrent use.
type Arrivals struct {
	mu     sync.Mutex
	locked map[types.NamespacedName]time.Time
}

// Came tells of news. Older ones that nobody has taken count instead.
func (a *Arrivals) Came(key types.NamespacedName, at time.Time) {
	if at.IsZero() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.locked == nil {
		a.locked = map[types.NamespacedName]time.Time{}
	}
	if former, found := a.locked[key]; !found || at.Before(former) {
		a.locked[key] = at
	}
}

// Take returns when the oldest news came, and forgets it; the zero time is none. Who takes it and
// cannot show it gives it back with Came.
func (a *Arrivals) Take(key types.NamespacedName) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.locked[key]
	delete(a.locked, key)
	return at
}
