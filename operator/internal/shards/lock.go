package shards

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

// Lock is a resourcelock.Interface over several leases, one a shard. Whoever is elected with it holds
// the first lease that nobody held, and keeps to that one. An elector calls it from one goroutine.
type Lock struct {
	leases []resourcelock.Interface
	clock  clock.PassiveClock
	seen   []observation // of each lease
	at     int           // the lease that is asked for, or held
	held   atomic.Int32  // 1 more than the shard that is held, 0 for none
}

// observation is how a lease was when it last changed. A holder is dead once its lease stays as it
// is for its whole duration, by our own clock: those of others are not compared with it.
type observation struct {
	record []byte
	since  time.Time
}

var _ resourcelock.Interface = (*Lock)(nil)

// NewLock returns a lock over these leases, all of the same identity; that of shard 0 is the first.
func NewLock(leases []resourcelock.Interface, now clock.PassiveClock) *Lock {
	return &Lock{leases: leases, clock: now, seen: make([]observation, len(leases))}
}

// Name is the name of a shard's lease. That of shard 0 is the name itself, so that an operator that
// knows no shards never leads beside this one.
func Name(lease string, shard int) string {
	if shard == 0 {
		return lease
	}
	return fmt.Sprintf("%s-%d", lease, shard)
}

// Held is the shard that is held.
func (l *Lock) Held() (shard int, holds bool) {
	held := int(l.held.Load())
	return held - 1, held > 0
}

// Get implements resourcelock.Interface: it reads the lease that is held. While none is, it reads one
// after the other and returns the first that is free; where none is, the first one.
func (l *Lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if _, holds := l.Held(); holds {
		return l.leases[l.at].Get(ctx)
	}
	var (
		first    *resourcelock.LeaderElectionRecord
		firstRaw []byte
		failed   error
	)
	for i, lease := range l.leases {
		l.at = i
		record, raw, err := lease.Get(ctx)
		switch {
		case apierrors.IsNotFound(err):
			return nil, nil, err // it is created
		case err != nil:
			failed = err
			continue
		}
		if l.isFree(i, record, raw) {
			free := *record
			free.HolderIdentity = ""
			raw, err = json.Marshal(free)
			return &free, raw, err
		}
		if first == nil {
			first, firstRaw = record, raw
		}
	}
	if first == nil {
		return nil, nil, failed
	}
	return first, firstRaw, nil
}

// isFree reports whether nobody holds a lease, or its holder is dead.
func (l *Lock) isFree(i int, record *resourcelock.LeaderElectionRecord, raw []byte) bool {
	if record.HolderIdentity == "" || record.HolderIdentity == l.Identity() {
		return true
	}
	if now := l.clock.Now(); string(l.seen[i].record) != string(raw) {
		l.seen[i] = observation{record: raw, since: now}
	}
	return l.clock.Since(l.seen[i].since) >= time.Duration(record.LeaseDurationSeconds)*time.Second
}

// Create implements resourcelock.Interface, for the lease that Get returned.
func (l *Lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.written(record, l.leases[l.at].Create(ctx, record))
}

// Update implements resourcelock.Interface, for the lease that Get returned.
func (l *Lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.written(record, l.leases[l.at].Update(ctx, record))
}

// written notes whether a lease is held after it was written.
func (l *Lock) written(record resourcelock.LeaderElectionRecord, err error) error {
	switch {
	case err != nil:
	case record.HolderIdentity == l.Identity():
		l.held.Store(int32(l.at) + 1) //nolint:gosec // a number of processes
	default:
		l.held.Store(0)
	}
	return err
}

// RecordEvent implements resourcelock.Interface.
func (l *Lock) RecordEvent(text string) { l.leases[l.at].RecordEvent(text) }

// Identity implements resourcelock.Interface.
func (l *Lock) Identity() string { return l.leases[0].Identity() }

// Describe implements resourcelock.Interface.
func (l *Lock) Describe() string { return l.leases[l.at].Describe() }
