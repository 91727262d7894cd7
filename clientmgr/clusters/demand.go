package clusters

import (
	"sync/atomic"
	"time"
)

// asleep is the verdict on a cluster that nobody needs now.
var asleep = verdict{Disconnected, ReasonAsleep, "not connected, because nobody needs it now", ErrNotConnected}

// demand is what is known of who needs a cluster. The zero value is one that is always needed.
type demand struct {
	only   atomic.Bool  // it is connected only while somebody asks (Wish.OnDemand)
	latest atomic.Int64 // when somebody asked last, in nanoseconds; 0 for never
}

// isThere reports whether the cluster is to be connected.
func (d *demand) isThere(now time.Time, letGo time.Duration) bool {
	latest := d.latest.Load()
	return !d.only.Load() || latest != 0 && now.Sub(time.Unix(0, latest)) < letGo
}

// needed notes that somebody asks for the cluster, and wakes it.
func (c *cluster) needed() {
	if !c.demand.only.Load() {
		return
	}
	c.demand.latest.Store(c.options.Clock.Now().UnixNano())
	if c.view.Load().state.Reason == ReasonAsleep {
		c.mail.ring()
	}
}
