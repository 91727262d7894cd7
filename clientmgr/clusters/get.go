package clusters

import (
	"context"
	"sync"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcluster "sigs.k8s.io/controller-runtime/pkg/cluster"
)

// Cluster is one connection to a cluster: all that it gives leads to the same one. It works as long
// as the connection does, rotations of the credential included; afterwards, and while the cluster
// is not to be trusted, each call fails with a *ConnectionError. Get it anew for each piece of
// work.
type Cluster struct{ conn *connection }

// UID is the UID of the cluster's namespace kube-system as this connection has read it, "" where
// that is forbidden.
func (c Cluster) UID() string { return *c.conn.uid.Load() }

// Client reads the declared kinds from the cache, corrected by its own writes; everything else goes
// to the server.
func (c Cluster) Client() client.Client { return c.conn.remote }

// Live reads past the cache. A NotFound from it is the server's own word about this object: an
// answer of a proxy, or of a server that does not know the kind, is ErrKindNotServed and never
// NotFound.
func (c Cluster) Live() client.Reader { return c.conn.live }

// RESTConfig returns a copy of the REST config. Its transport is the connection's own, so that a
// client built from it follows rotations too; upgraded connections (exec, console) do not go
// through it. Each of its calls that is no watch ends after Calls.Timeout.
func (c Cluster) RESTConfig() *rest.Config { return c.conn.restConfig() }

// Controller returns the connection as controller-runtime's cluster.Cluster, for what builds on
// that. It is the same value as long as the connection lasts; its Start does nothing but wait for
// the connection's end. Its cache has the declared kinds alone: others are
// cache.ErrResourceNotCached.
func (c Cluster) Controller() (ctrlcluster.Cluster, error) { return c.conn.cluster() }

// look returns what is known of a cluster, and wakes one that is connected on demand. It takes no lock
// and, where the cluster is known, allocates nothing.
func (m *Manager) look(name string) (*view, error) {
	if c, found := (*m.clusters.Load())[name]; found {
		c.needed()
		return c.view.Load(), nil
	}
	return nil, called{m.options.Noun, name}.error(ErrUnknown, "there is none of this name")
}

// Get returns a connected cluster. It does no I/O and never waits. Errors are *ConnectionError:
// ErrUnknown, ErrBadKubeconfig, ErrCredentialMissing, ErrNotConnected (ErrUnauthorized is one),
// ErrNotSynced, ErrForbidden, ErrKindNotServed, ErrIdentityChanged, ErrIdentityUnverified.
func (m *Manager) Get(name string) (Cluster, error) {
	v, err := m.look(name)
	if err == nil {
		err = v.clientErr()
	}
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{v.conn}, nil
}

// Live returns a reader that asks the server itself. It works as soon as the cluster's identity is
// settled, also while its caches are still syncing. It does no I/O itself; errors as for Get.
func (m *Manager) Live(name string) (client.Reader, error) {
	c, err := m.settled(name)
	if err != nil {
		return nil, err
	}
	return c.Live(), nil
}

// RESTConfig returns a copy of the REST config of a connected cluster. It works while the caches
// are still syncing, as Live does.
func (m *Manager) RESTConfig(name string) (*rest.Config, error) {
	c, err := m.settled(name)
	if err != nil {
		return nil, err
	}
	return c.RESTConfig(), nil
}

// settled returns a cluster whose caches may still be syncing: it has no Client then.
func (m *Manager) settled(name string) (Cluster, error) {
	v, err := m.look(name)
	if err == nil {
		err = v.readErr()
	}
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{v.conn}, nil
}

// Validate asks a cluster now, for at most Probe.Timeout. It returns the error of Get at once where
// there is no connection.
func (m *Manager) Validate(ctx context.Context, name string) error {
	c, err := m.Get(name)
	if err != nil {
		return err
	}
	if _, err := c.conn.probe(ctx); err != nil {
		failed := classify(err)
		met := c.conn.error(failed.sentinel, failed.text)
		met.Since = m.options.Clock.Now()
		return met
	}
	return nil
}

// HealthCheck validates all clusters at the same time, but for those that are connected on demand. It
// returns the unhealthy ones by name; an empty map means that all are well. HealthError turns it into
// one error.
func (m *Manager) HealthCheck(ctx context.Context) map[string]error {
	var locked struct {
		sync.Mutex
		unhealthy map[string]error
	}
	locked.unhealthy = map[string]error{}
	var checks sync.WaitGroup
	for name, c := range *m.clusters.Load() {
		if c.demand.only.Load() {
			continue
		}
		checks.Go(func() {
			if err := m.Validate(ctx, name); err != nil {
				locked.Lock()
				defer locked.Unlock()
				locked.unhealthy[name] = err
			}
		})
	}
	checks.Wait()
	return locked.unhealthy
}
