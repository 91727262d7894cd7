package multicluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// Clusters is what is needed of a client manager. clientmgr.KubevirtClientManager is one.
type Clusters interface {
	clientmgr.EventSource
	clientmgr.StateReporter
	// Cluster returns a connected cluster, the same value as long as its connection lasts.
	Cluster(kubevirtConfigName string) (cluster.Cluster, error)
	// DeclaredKind returns the kind of an object that each cluster caches, and an error for others.
	DeclaredKind(object client.Object) (schema.GroupVersionKind, error)
}

// Options tune a Provider. The zero value works.
type Options struct {
	// Logger is told of clusters that come, go, or cannot be engaged. The zero Logger is silent.
	Logger logr.Logger
}

// Provider offers the clusters of a client manager to a multicluster manager. It is safe for
// concurrent use.
type Provider struct {
	clusters Clusters
	options  Options
	locked   lockedMembers
}

var (
	_ multicluster.Provider         = (*Provider)(nil)
	_ multicluster.ProviderRunnable = (*Provider)(nil)
)

// New returns a Provider. The client manager has to be started by somebody else, for example by the
// same manager. It does no I/O.
func New(clusters Clusters, options Options) *Provider {
	p := &Provider{clusters: clusters, options: options}
	p.locked.members = map[string]*member{}
	return p
}

// Get returns a connected cluster. An unknown name is multicluster.ErrClusterNotFound; every other
// error is the client manager's own and worth another try. It does no I/O.
func (p *Provider) Get(_ context.Context, clusterName multicluster.ClusterName) (cluster.Cluster, error) {
	found, err := p.clusters.Cluster(clusterName.String())
	if errors.Is(err, clientmgr.ErrConfigNotFound) {
		return nil, fmt.Errorf("%w: %w", multicluster.ErrClusterNotFound, err)
	}
	return found, err
}

// ClusterNames returns the names of the clusters that are engaged, sorted. Those without contact
// are among them.
func (p *Provider) ClusterNames() []multicluster.ClusterName { return p.locked.names() }

// IndexField adds an index to the caches of all clusters, present and future ones. It refuses at
// once what no cluster could ever have: an index of a kind that the client manager does not cache,
// and a second index of one name and kind. An index that a present cluster did not take is not
// added to future ones; IndexField may be called again with the same function.
func (p *Provider) IndexField(
	ctx context.Context, object client.Object, field string, extract client.IndexerFunc,
) error {
	kind, err := p.clusters.DeclaredKind(object)
	if err != nil {
		return fmt.Errorf("index %s: only kinds in clientmgr.Options.Kinds can have one: %w", field, err)
	}
	key := indexKey{kind, fmt.Sprintf("%T", object), field}
	return p.locked.addIndex(ctx, index{key, object, extract}, p.offered)
}

// offered reports whether a cluster is still the one of its name: that of an ended connection is
// not.
func (p *Provider) offered(name string, known cluster.Cluster) bool {
	now, err := p.clusters.Cluster(name)
	return err == nil && now == known
}
