package clusters

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// view is what look-ups see of a cluster. It is immutable, and replaced as a whole.
type view struct {
	state   State
	conn    *connection // nil where there is none
	err     error       // why there is no client; nil where there is one
	liveErr error       // why nothing may be read live; nil where it may
}

// clientErr is why there is no client, nil where there is one. A connection may have learnt a
// moment ago, in any goroutine, that its data are not to be trusted.
func (v *view) clientErr() error {
	if v.err != nil {
		return copyOf(v.err)
	}
	return v.conn.untrusted()
}

// readErr is why nothing may be read live, nil where it may.
func (v *view) readErr() error {
	if v.liveErr != nil {
		return copyOf(v.liveErr)
	}
	return v.conn.untrusted()
}

// copyOf is an error of a view for one caller, who may change it.
func copyOf(err error) error {
	if shared, is := err.(*ConnectionError); is { //nolint:errorlint // a view has it bare
		own := *shared
		return &own
	}
	return err
}

// cluster is one cluster: a goroutine that owns everything but view and mail.
type cluster struct {
	called

	options Options
	mail    *mailbox
	view    atomic.Pointer[view]
	gone    atomic.Bool // nobody asks for it any more
	demand  demand
	took    atomic.Int64            // nanoseconds of the last probe that was answered; 0 before
	told    func(former, now State) // of each change of State
	hub     *Hub
	fills   chan struct{}
	metrics *metrics
	// identities are told when this becomes known as another cluster.
	identities *identities

	// lingering are the connections that were dropped and have not ended yet: a slow listener may keep
	// one.
	lingering sync.WaitGroup

	conn   *connection // nil while there is none
	wish   Wish
	parser kubeconfig.Parser
	known  string // the cluster's UID as first seen or remembered; "" while it is not known
	// former are the UIDs that a person's acceptance replaced in this process.
	former []string
	state  State
	health health

	attempt  attempts // to connect
	floods   attempts // to fill a cache, that got too much
	refills  attempts // to make a cache anew, after its data went back in time
	rotation attempts // to take over the Secret's new contents
}

// attempts are the tries of one kubeconfig.
type attempts struct {
	kubeconfig []byte
	failures   int       // in a row
	failed     error     // the last one
	next       time.Time // not before
}

// of returns the attempts of a kubeconfig, which are none where the last ones were of another.
func (a *attempts) of(kubeconfig []byte) *attempts {
	if !bytes.Equal(a.kubeconfig, kubeconfig) {
		*a = attempts{kubeconfig: kubeconfig}
	}
	return a
}

// idle is the wait for a wish that changes something.
const idle = time.Hour

func newCluster(name string, first Wish, options Options) *cluster {
	options = options.of(name)
	c := &cluster{called: called{options.Noun, name}, options: options, mail: newMailbox()}
	c.state = State{
		Config: name, Phase: Disconnected, Reason: ReasonConnecting, Message: "connecting", Since: options.Clock.Now(),
		DisconnectedSince: options.Clock.Now(), IdentityVerified: metav1.ConditionUnknown,
		ConfigUID: first.UID, RememberedUID: first.RememberedUID, FormerClusterUIDs: first.FormerUIDs,
	}
	if !first.DisconnectedSince.IsZero() {
		c.state.DisconnectedSince = first.DisconnectedSince
	}
	c.parser.Options = options.Kubeconfig
	c.mail.put(first)
	c.wish = first
	c.demand.only.Store(first.OnDemand)
	err := c.connectionError(ErrNotConnected, "connecting")
	c.view.Store(&view{state: c.state, err: err, liveErr: err})
	return c
}

// run serves the cluster until ctx ends. It is its only goroutine; informers and handlers have
// their own.
func (c *cluster) run(ctx context.Context) {
	defer c.disconnect()
	for {
		step, cancel, order := c.mail.take(ctx)
		wait := c.serve(step, order)
		cancel()
		timer := c.options.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-c.mail.signal:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// serve brings the cluster one step further and returns how long there is nothing to do. Each step
// is bounded in time and ends with ctx.
func (c *cluster) serve(ctx context.Context, o order) time.Duration {
	if o.wish.UID != c.wish.UID {
		c.disconnect() // another one of the same name
		c.known, c.former = "", nil
		c.state = State{Config: c.name, Since: c.state.Since, DisconnectedSince: c.state.DisconnectedSince,
			IdentityVerified: metav1.ConditionUnknown}
	}
	c.wish = o.wish
	c.demand.only.Store(o.wish.OnDemand)
	if o.rebuild {
		c.disconnect()
		c.attempt, c.floods, c.refills = attempts{}, attempts{}, attempts{}
	}
	if o.wish.Kubeconfig == nil {
		c.disconnect()
		c.report(verdict{Disconnected, ReasonCredentialMissing, o.wish.Problem, ErrCredentialMissing}, nil)
		return idle
	}
	if !c.demand.isThere(c.options.Clock.Now(), c.options.LetGo) {
		c.disconnect()
		c.report(asleep, nil)
		return idle
	}
	if c.conn != nil && c.conn.untrusted() != nil {
		c.rebuild()
	}
	target, err := c.parser.Parse(o.wish.Kubeconfig, time.Time{})
	if err != nil && c.conn != nil { // a slip of the hand takes no cluster away
		c.rotation.of(o.wish.Kubeconfig).failed = failure{ErrBadKubeconfig, ReasonBadKubeconfig, err.Error()}
		return c.tend(ctx, o.probe)
	}
	if err != nil {
		c.report(verdict{Stopped, ReasonBadKubeconfig,
			fmt.Sprintf("%s: failed to create REST config from kubeconfig: %s", c.called, err),
			ErrBadKubeconfig}, err)
		return idle
	}
	c.state.CredentialExpires = target.NotAfter()
	if c.conn == nil {
		return c.connect(ctx, target)
	}
	if !c.conn.swap.Current().Target().Equal(target) {
		if wait, done := c.rotate(ctx, target); done {
			return wait
		}
	} else {
		c.rotation = attempts{}
	}
	return c.tend(ctx, o.probe)
}

// rebuild drops a connection whose caches are not to be trusted any more.
func (c *cluster) rebuild() {
	v := verdictOf(Disconnected, errRestored)
	if c.conn.moved.Load() {
		v = verdict{Disconnected, ReasonUnreachable, anotherAnswers, ErrNotConnected}
	}
	failed := failure{v.err, v.reason, v.text}
	c.disconnect()
	c.report(v, nil)
	again := c.refills.of(c.wish.Kubeconfig)
	if c.options.Clock.Since(again.next) > calm {
		*again = attempts{kubeconfig: c.wish.Kubeconfig, next: c.options.Clock.Now()} // once is free
		return
	}
	c.fail(again, failed)
}

// disconnect drops the connection. The record of the cluster stays.
func (c *cluster) disconnect() {
	if c.conn == nil {
		return
	}
	conn := c.conn
	if c.health.fed {
		c.hub.remove(conn.cache.feed)
	}
	c.conn, c.health, c.rotation = nil, health{}, attempts{}
	c.lingering.Go(conn.close)
}

// report publishes a verdict. cause may be nil.
func (c *cluster) report(v verdict, cause error) {
	former, now := c.view.Load().state, c.state
	clock := c.options.Clock.Now()
	if v.phase != former.Phase || v.reason != former.Reason {
		now.Since = clock
	}
	now.Phase, now.Reason, now.Message = v.phase, v.reason, v.text
	switch {
	case v.phase == Connected:
		now.DisconnectedSince = time.Time{}
	case former.DisconnectedSince.IsZero():
		now.DisconnectedSince = clock
	}
	if v.reason != ReasonIdentityChanged {
		now.SeenUID = ""
	}
	now = c.withIdentity(now)
	c.state = now
	c.view.Store(c.newView(v, cause))
	if former.knownUID() != now.knownUID() {
		c.identities.changed()
	}
	if !reflect.DeepEqual(now, former) {
		c.told(former, now)
	}
}

// withIdentity fills in whose State it is, and which cluster this connection has proved itself to
// be.
func (c *cluster) withIdentity(s State) State {
	s.ConfigUID = c.wish.UID
	s.ClusterUID = ""
	if c.conn != nil {
		s.ClusterUID = *c.conn.uid.Load()
	}
	if s.ClusterUID == "" && s.IdentityVerified == metav1.ConditionTrue {
		s.IdentityVerified = metav1.ConditionUnknown // it was verified on a connection that is gone
	}
	s.RememberedUID = cmp.Or(c.known, c.wish.RememberedUID)
	former := slices.Concat(c.wish.FormerUIDs, c.former)
	slices.Sort(former)
	former = slices.DeleteFunc(slices.Compact(former), func(uid string) bool { return uid == s.RememberedUID })
	s.FormerClusterUIDs = nil
	if len(former) > 0 {
		s.FormerClusterUIDs = former
	}
	return s
}

// newView makes what look-ups see from the present state.
func (c *cluster) newView(v verdict, cause error) *view {
	next := &view{state: c.state, conn: c.conn}
	if v.err != nil {
		failed := c.connectionError(v.err, v.text)
		failed.Cause = cause
		next.err, next.liveErr = failed, failed
	}
	if c.conn != nil && v.phase == Connecting && c.health.failing == nil {
		next.liveErr = nil // the cluster is who it should be, and answers; only its caches are not there
	}
	return next
}

func (c *cluster) connectionError(sentinel error, text string) *ConnectionError {
	failed := c.error(sentinel, text)
	failed.Since = c.state.Since
	return failed
}

// retry returns the time until the next attempt after another failure: from 1 s doubling to
// Options.BackoffMax, less up to a third.
func (c *cluster) retry(failures int) time.Duration {
	base := min(c.options.BackoffMax, time.Second<<min(max(0, failures-1), 16))
	return base - time.Duration(rand.Int64N(int64(base)/3+1)) //nolint:gosec // jitter
}

// fail records another failed attempt and returns the time until the next.
func (c *cluster) fail(a *attempts, err error) time.Duration {
	a.failures++
	a.failed = err
	wait := c.retry(a.failures)
	a.next = c.options.Clock.Now().Add(wait)
	return wait
}
