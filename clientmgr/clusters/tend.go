package clusters

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// recheck is how often the server's version and our rights are looked at where nothing else
// suggests that they have changed.
const recheck = time.Hour

// tick is how often a cluster that is not settled is looked at. A look is not a probe: it costs no
// call.
const tick = time.Second

// health is the record of one connection.
type health struct {
	nextProbe           time.Time
	lastProbe           time.Time
	failures, successes int   // in a row
	failing             error // the failure that passed the threshold, nil while the cluster counts as well

	nextVersion time.Time

	cache      attempts // to start the cache
	nextReview time.Time
	fed        bool // the sources have the informers
}

// tend looks after an existing connection and returns when to look again.
func (c *cluster) tend(ctx context.Context, probeNow bool) time.Duration {
	if !c.ensureCache(ctx) {
		return 0
	}
	if c.conn.cache != nil && c.conn.cache.stock.over.Load() {
		return c.flooded()
	}
	c.probe(ctx, probeNow)
	if c.conn.untrusted() != nil {
		return 0 // and it is made anew
	}
	c.review(ctx)
	if ctx.Err() != nil {
		return 0
	}
	f := c.facts()
	if f.watches.Silence >= f.silence {
		if c.conn.cache != nil {
			c.conn.cache.coverage.doubt()
		}
		c.metrics.stalled(c.name, c.conn.swap.CutSilent(f.silence))
	}
	v := assess(f)
	c.report(v, nil)
	if f.synced && !c.health.fed {
		c.health.fed = true
		if err := c.hub.add(c.conn.cache.feed); err != nil { // only a stopped informer refuses
			c.conn.restored.Store(true)
			return 0
		}
	}
	wait := max(0, c.health.nextProbe.Sub(c.options.Clock.Now()))
	if v.reason != ReasonConnected || f.gap.young {
		wait = min(wait, tick)
	}
	return wait
}

// calm is how long a cluster must not have sent too much to be forgiven.
const calm = 10 * time.Minute

// flooded drops the connection to a cluster that sent too much, for a while.
func (c *cluster) flooded() time.Duration {
	failed := c.conn.cache.stock.flooded()
	floods := c.floods.of(c.wish.Kubeconfig)
	if c.options.Clock.Since(floods.next) > calm {
		floods.failures = 0
	}
	wait := c.fail(floods, failed)
	c.disconnect()
	c.report(verdictOf(Disconnected, failed), nil)
	return wait
}

func (c *cluster) facts() facts {
	f := facts{
		probe: c.health.failing, watches: c.conn.swap.Watches(), silence: c.options.Watch.Silence,
		rotation: c.rotation.failed, cache: c.health.cache.failed,
	}
	if c.conn.cache != nil {
		f.synced, f.gap = c.conn.cache.isSynced(), c.conn.cache.coverage.gap()
	}
	return f
}

// ensureCache starts the cache once the server serves all declared kinds. ok is false where the
// step was in vain.
func (c *cluster) ensureCache(ctx context.Context) (ok bool) {
	now := c.options.Clock.Now()
	if c.conn.cache != nil || c.health.cache.next.After(now) {
		return true
	}
	select {
	case c.fills <- struct{}{}:
	default:
		return true // others fill theirs; it is tried again
	}
	left := sync.OnceFunc(func() { <-c.fills })
	conn := c.conn
	stop := context.AfterFunc(ctx, conn.swap.Close) // discovery takes no context
	started, err := conn.startCache(func(resource string) { c.metrics.listed(c.name, resource) }, c.mail.ring)
	if !stop() {
		left()
		if err == nil {
			conn.cache = started
		}
		c.disconnect()
		return false
	}
	if err != nil {
		left()
		c.fail(&c.health.cache, err)
		return true
	}
	c.health.cache = attempts{}
	conn.cache = started
	c.lingering.Go(func() {
		defer left()
		started.filled(conn.life, c.options.Clock, c.options.Fill.Timeout)
	})
	writes := newOverlay(c.options.Scheme, c.options.Clock)
	for i, kind := range conn.options.kinds {
		writes.add(kind, started.feed.informers[i], kind.stripped().Transform)
	}
	conn.remote = &remoteClient{
		called: c.called, direct: &recordingClient{Client: conn.direct, overlay: writes},
		cached: overlaidReader{started.cache, writes}, declared: started.declared, failed: c.mail.probe,
		gate: func() error { return c.gate(conn, (*view).clientErr) },
	}
	return true
}

// probe asks the cluster if it is time to.
func (c *cluster) probe(ctx context.Context, early bool) {
	h := &c.health
	now := c.options.Clock.Now()
	early = early && now.Sub(h.lastProbe) >= tick
	if now.Before(h.nextProbe) && !early || ctx.Err() != nil {
		return
	}
	id, err := c.conn.probe(ctx)
	if ctx.Err() != nil {
		return
	}
	if id.uid != "" && *c.conn.uid.Load() == "" { // somebody granted the right to read it
		if err = c.admit(id); err == nil {
			c.conn.uid.Store(&id.uid)
		}
	}
	h.lastProbe = c.options.Clock.Now()
	c.metrics.probed(c.name, h.lastProbe.Sub(now), err)
	if err == nil {
		c.took.Store(int64(h.lastProbe.Sub(now)))
	}
	if err != nil {
		h.failures, h.successes = h.failures+1, 0
		if h.failures >= c.options.Probe.Failures {
			h.failing = err
		}
	} else {
		if h.failures > 0 || c.conn.swap.Watches().Parked > 0 {
			c.conn.swap.Wake()
			h.nextVersion = now // a server that was away may have been upgraded
		}
		if !now.Before(h.nextVersion) {
			c.state.KubernetesVersion = cmp.Or(c.conn.asker().version(ctx), c.state.KubernetesVersion)
			h.nextVersion = now.Add(recheck)
		}
		h.failures, h.successes = 0, h.successes+1
		if h.successes >= c.options.Probe.Successes {
			h.failing = nil
		}
	}
	h.nextProbe = h.lastProbe.Add(c.probeDelay())
}

// probeDelay is the time to the next probe: short while the verdict is open, the interval with a
// tenth of jitter otherwise.
func (c *cluster) probeDelay() time.Duration {
	open := c.health.failures > 0 && c.health.failing == nil || c.health.failures == 0 && c.health.failing != nil
	if open {
		return min(tick, c.options.Probe.Interval)
	}
	interval := c.options.Probe.Interval
	return interval - interval/20 + time.Duration(rand.Int64N(int64(interval)/10+1)) //nolint:gosec // jitter
}

// review learns which rights the credential lacks: for each connection and credential, and from
// time to time, sooner where some are missing: somebody may have granted them.
func (c *cluster) review(ctx context.Context) {
	now := c.options.Clock.Now()
	if c.health.failing != nil || now.Before(c.health.nextReview) || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Probe.Timeout)
	defer cancel()
	missing, err := c.conn.missingRights(ctx)
	if err != nil {
		c.health.nextReview = now.Add(c.options.Probe.Interval)
		return
	}
	c.health.nextReview = now.Add(recheck)
	if len(missing) > 0 {
		c.health.nextReview = now.Add(6 * c.options.Probe.Interval)
	}
	c.state.RightsChecked, c.state.MissingRights = true, missing
}
