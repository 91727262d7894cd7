package wake

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Rest remembers, for each Machine, what its last reconcile has read, where another reconcile would
// do the same again. The zero value is empty. It is safe for concurrent use.
type Rest struct {
	spare objects

	mu     sync.Mutex
	locked map[types.NamespacedName]*Footprint
}

// Footprint is what a reconcile rested on.
type Footprint struct {
	// Machine is the resourceVersion of the Machine as the reconcile left it.
	Machine string
	// Reads are its cached reads.
	Reads *Reads
	// Config is the KubevirtConfig of the remote cluster, "" for none; Since is when the state of
	// its connection last changed.
	Config string
	Since  time.Time
	// Due is when the reconcile is to be repeated although nothing has changed. The zero time is
	// never.
	Due time.Time
}

// Now is what Skip needs to compare a Footprint with.
type Now struct {
	// Machine is the resourceVersion of the Machine that was just read.
	Machine string
	// Supervisor reads the supervisor's cache.
	Supervisor client.Reader
	// Remote gives the reader of a remote cache, and when the state of its connection last changed.
	Remote func(config string) (cache client.Reader, since time.Time, err error)
	// Time is the current time.
	Time time.Time
}

// Remember keeps what a Machine's reconcile rested on.
func (r *Rest) Remember(key types.NamespacedName, footprint Footprint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.locked == nil {
		r.locked = map[types.NamespacedName]*Footprint{}
	}
	r.locked[key] = &footprint
}

// Forget makes the Machine's next reconcile a whole one.
func (r *Rest) Forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.locked, key)
}

// Skip repeats the reads of the Machine's last reconcile, all from caches. It reports whether
// another reconcile would do nothing, and after how long it is due nevertheless; 0 is never.
func (r *Rest) Skip(ctx context.Context, key types.NamespacedName, now Now) (after time.Duration, skip bool) {
	r.mu.Lock()
	footprint, found := r.locked[key]
	r.mu.Unlock()
	if !found || footprint.Machine != now.Machine {
		return 0, false
	}
	if !footprint.Due.IsZero() {
		if after = footprint.Due.Sub(now.Time); after <= 0 {
			return 0, false
		}
	}
	var remote client.Reader
	if footprint.Config != "" {
		cache, since, err := now.Remote(footprint.Config)
		if err != nil || !since.Equal(footprint.Since) {
			return 0, false
		}
		remote = cache
	}
	return after, footprint.Reads.same(ctx, &r.spare, now.Supervisor, remote)
}
