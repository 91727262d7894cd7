package machine

import (
	"sync"
	"time"
)

// recentTime is how old what is remembered of a cluster may be.
const recentTime = 30 * time.Second

// recent remembers, for a short while, what was seen in remote clusters and hardly ever changes, so that many Machines at once do not each ask
// for it. What is missing is never remembered. The zero value is empty.
type recent[T any] struct {
	mu     sync.Mutex
	locked map[string]dated[T]
}

type dated[T any] struct {
	at    time.Time
	value T
}

func (r *recent[T]) get(key string, now time.Time) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	has, found := r.locked[key]
	return has.value, found && now.Sub(has.at) < recentTime
}

func (r *recent[T]) put(key string, value T, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.locked == nil {
		r.locked = map[string]dated[T]{}
	}
	for other, has := range r.locked {
		if now.Sub(has.at) >= recentTime {
			delete(r.locked, other)
		}
	}
	r.locked[key] = dated[T]{at: now, value: value}
}

// change changes what is remembered, if anything is. It does not become younger by that.
func (r *recent[T]) change(key string, change func(*T)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if has, found := r.locked[key]; found {
		change(&has.value)
		r.locked[key] = has
	}
}
