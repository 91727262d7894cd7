package clusters

import (
	"cmp"
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// ask returns an asker for an endpoint that nobody uses yet.
func (c *cluster) ask(endpoint *transport.Endpoint) asker {
	return asker{through: endpoint, timeout: c.options.Probe.Timeout, agent: c.options.UserAgent}
}

// connect makes a connection: who answers must be known before anything is read.
func (c *cluster) connect(ctx context.Context, target kubeconfig.Target) time.Duration {
	now := c.options.Clock.Now()
	tries := c.attempt.of(c.wish.Kubeconfig)
	for _, each := range []*attempts{tries, &c.floods, &c.refills} {
		if wait := each.of(c.wish.Kubeconfig).next.Sub(now); wait > 0 {
			return wait
		}
	}
	if tries.failures == 0 {
		c.report(verdict{Connecting, ReasonConnecting, "connecting", ErrNotConnected}, nil)
	}
	endpoint, err := transport.NewEndpoint(target, c.options.Endpoint)
	if err != nil {
		c.report(verdict{Stopped, ReasonBadKubeconfig, err.Error(), ErrBadKubeconfig}, nil)
		return idle
	}
	id, err := c.ask(endpoint).identify(ctx)
	if err == nil {
		err = c.admit(id)
	}
	var conn *connection
	if err == nil {
		conn, err = newConnection(c.called, endpoint, id, c.options, c.mail.ring)
	}
	if ctx.Err() != nil || err != nil {
		endpoint.Close()
	}
	switch {
	case ctx.Err() != nil:
		if conn != nil {
			c.lingering.Go(conn.close)
		}
		return 0
	case err != nil:
		err = dated(err, target, now)
		wait := c.fail(tries, err)
		c.metrics.connectFailed(c.name)
		v := verdictOf(Disconnected, err)
		if v.reason == ReasonIdentityChanged {
			v.phase = Stopped
		}
		c.report(v, nil)
		return wait
	}
	*tries = attempts{kubeconfig: c.wish.Kubeconfig}
	c.adopt(conn, id)
	return c.tend(ctx, false)
}

// dated adds what is over, or not valid yet, to a failure to connect: it is the likely cause.
func dated(err error, target kubeconfig.Target, now time.Time) error {
	invalid := target.CheckAt(now)
	if invalid == nil {
		return err
	}
	failed := classify(err)
	failed.text += "; " + invalid.Error()
	return failed
}

// adopt makes a connection the cluster's.
func (c *cluster) adopt(conn *connection, id identity) {
	c.conn = conn
	now := c.options.Clock.Now()
	c.health = health{ // it has just been asked
		nextProbe: now.Add(c.options.Probe.Interval), nextVersion: now.Add(recheck),
	}
	c.state.KubernetesVersion = id.version
	c.state.RightsChecked, c.state.MissingRights = false, nil
	c.metrics.connected(c.name)
	conn.live = &remoteClient{called: c.called, direct: conn.direct, failed: c.mail.probe,
		breaker: newBreaker(c.options.Clock), gate: func() error {
			return c.gate(conn, (*view).readErr)
		}}
}

// admit checks who answers against who was seen before, and notes it. It fails with
// ErrIdentityUnverified where the cluster is known but hides its identity now: another cluster may
// be answering. It fails with ErrIdentityChanged where a person must decide.
func (c *cluster) admit(id identity) error {
	known := cmp.Or(c.known, c.wish.RememberedUID)
	switch {
	case id.uid == "" && known != "":
		c.known = known
		c.state.IdentityVerified = metav1.ConditionUnknown
		return errUnverified
	case id.uid == "":
		c.state.IdentityVerified = metav1.ConditionUnknown
		return nil
	case known != "" && id.uid != known && id.uid != c.wish.AcceptedUID:
		c.known = known
		c.state.IdentityVerified, c.state.SeenUID = metav1.ConditionFalse, id.uid
		return failure{ErrIdentityChanged, ReasonIdentityChanged, fmt.Sprintf(
			"%s leads to cluster %s, but stood for cluster %s", c.called, id.uid, known)}
	}
	if known != "" && known != id.uid {
		c.former = append(c.former, known)
	}
	c.known = id.uid
	c.state.IdentityVerified, c.state.SeenUID = metav1.ConditionTrue, ""
	return nil
}

// gate returns why a client of conn must not be used now.
func (c *cluster) gate(conn *connection, of func(*view) error) error {
	v := c.view.Load()
	if err := of(v); err != nil {
		return err
	}
	if v.conn != conn || c.gone.Load() {
		former := c.error(ErrNotConnected, "this client belongs to a former connection")
		former.Since = v.state.Since
		return former
	}
	return nil
}

// rotate takes over a changed kubeconfig in place, if it leads to the same cluster and works there.
// done says that the cluster is to be served anew, after wait.
func (c *cluster) rotate(ctx context.Context, target kubeconfig.Target) (wait time.Duration, done bool) {
	tries := c.rotation.of(c.wish.Kubeconfig)
	if tries.next.After(c.options.Clock.Now()) {
		return 0, false
	}
	current := c.conn.swap.Current()
	endpoint, err := current.WithTarget(target, c.options.Endpoint)
	if err != nil {
		c.fail(tries, unreachable(err.Error()))
		return 0, false
	}
	id, err := c.ask(endpoint).identify(ctx)
	if ctx.Err() != nil {
		c.drop(endpoint)
		return 0, true
	}
	sameServer := current.Target().SameServer(target)
	uid := *c.conn.uid.Load()
	switch {
	case err != nil:
	case id.uid == "" && uid != "":
		err = errUnverified
	case id.uid == "" && !sameServer:
		err = failure{ErrForbidden, ReasonForbidden, "the identity behind the new address may not be read"}
	case id.uid != "" && id.uid != uid && (uid != "" || !sameServer), id.uid != "" && uid == "" && c.admit(id) != nil:
		c.drop(endpoint)
		c.disconnect() // another cluster, or one that cannot be told from another: never a swap
		return c.connect(ctx, target), true
	}
	if err != nil {
		c.drop(endpoint)
		c.fail(tries, dated(err, target, c.options.Clock.Now()))
		return 0, false
	}
	c.takeOver(endpoint, id, !sameServer)
	return 0, false
}

// takeOver swaps the endpoint underneath all users of the connection.
func (c *cluster) takeOver(endpoint *transport.Endpoint, id identity, moved bool) {
	if id.uid != "" {
		c.conn.uid.Store(&id.uid)
	}
	c.conn.swap.Set(endpoint)
	c.conn.swap.CutOld(moved)
	c.rotation = attempts{}
	c.health.nextReview = time.Time{}
	c.health.nextProbe = c.options.Clock.Now()
	c.state.KubernetesVersion = cmp.Or(id.version, c.state.KubernetesVersion)
	c.metrics.rotated(c.name)
}

// drop lets go of a candidate, unless it shares its connections with the endpoint in use.
func (c *cluster) drop(endpoint *transport.Endpoint) {
	if !endpoint.SharesConnections(c.conn.swap.Current()) {
		endpoint.Close()
	}
}
