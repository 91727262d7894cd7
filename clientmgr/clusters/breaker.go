package clusters

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

const (
	// hung is how long a call without an answer must have taken to count: a caller with a shorter
	// deadline has learned nothing about the cluster.
	hung = time.Second
	// pauseMin and pauseMax bound the time in which no live look goes out.
	pauseMin, pauseMax = time.Second, 5 * time.Second
)

// breaker keeps live looks from waiting for a cluster that has just let one time out. It lets one
// look through at a time until one is answered. A nil breaker lets all through. It is safe for
// concurrent use.
type breaker struct {
	clock  clock.PassiveClock
	open   atomic.Bool
	locked struct {
		sync.Mutex
		until    time.Time // no look goes out before
		probing  bool      // one is under way
		failures int       // time-outs in a row
	}
}

func newBreaker(clock clock.PassiveClock) *breaker { return &breaker{clock: clock} }

// guard runs a call, or fails at once with a *CallError that is ErrNotConnected.
func (b *breaker) guard(of called, call func() error) error {
	if b == nil {
		return call()
	}
	probe := b.open.Load()
	if probe && !b.admit() {
		return newCallError(of, unreachable("no answer in time to an earlier call; it is asked again within seconds"), nil)
	}
	began := b.clock.Now()
	err := call()
	b.learn(err, b.clock.Since(began), probe)
	return err
}

// admit reports whether a look may go out while the breaker is open.
func (b *breaker) admit() bool {
	b.locked.Lock()
	defer b.locked.Unlock()
	if b.locked.probing || b.clock.Now().Before(b.locked.until) {
		return false
	}
	b.locked.probing = true
	return true
}

// learn takes up what came of a look. Our own limits say nothing about the cluster.
func (b *breaker) learn(err error, took time.Duration, probe bool) {
	late := errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, transport.ErrBusy) && took >= hung
	undecided := errors.Is(err, transport.ErrBusy) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded) && !late
	if !late && !probe && !b.open.Load() {
		return
	}
	b.locked.Lock()
	defer b.locked.Unlock()
	if probe {
		b.locked.probing = false
	}
	switch {
	case late:
		if now := b.clock.Now(); probe || !b.open.Load() {
			pause := min(pauseMax, pauseMin<<min(b.locked.failures, 8))
			b.locked.failures++
			b.locked.until = now.Add(pause - time.Duration(rand.Int64N(int64(pause)/3+1))) //nolint:gosec // jitter
		}
		b.open.Store(true)
	case undecided:
	default:
		b.locked.failures = 0
		b.open.Store(false)
	}
}
