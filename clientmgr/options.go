package clientmgr

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// Options tune a KubevirtClientManager. The zero value works: it caches nothing and looks for
// configs in namespace "default".
type Options struct {
	// Options are how the clusters are spoken to, and what is cached of them. Scheme is by default the
	// supervisor client's, Noun is "KubevirtConfig" and MetricLabel "kubevirt_config".
	clusters.Options
	// ConfigsNamespace is the namespace of the KubevirtConfigs and their Secrets
	// (KUBEVIRT_CONFIGS_NAMESPACE). Default "default". Where the supervisor's KubevirtConfig is
	// cluster-scoped it has no effect: each config names its Secret's namespace.
	ConfigsNamespace string
	// Secrets reads, past the supervisor's cache, the Secrets in namespaces that the cache does not
	// hold: cluster-scoped KubevirtConfigs may name any. Each is read when a KubevirtConfig names it,
	// and every SecretInterval (default 30 s). nil: such a Secret is missing.
	Secrets        client.Reader
	SecretInterval time.Duration
	// AllowUnverifiedIdentity hands out a client for a Machine that was placed in a cluster which
	// never let its identity be read: neither the ledger nor the KubevirtConfig has a UID. A known
	// identity that cannot be read is ErrIdentityUnverified, whatever this says.
	AllowUnverifiedIdentity bool
	// Serves says which KubevirtConfigs' clusters are always connected, by name; the others are while
	// somebody asks for them (clusters.Wish.OnDemand). It is asked once the manager runs. nil means that
	// all are.
	Serves func(kubevirtConfigName string) bool
	// WarmStandby keeps connections and caches while not leading as well. By default only the leader
	// has them.
	WarmStandby bool
}

func (o Options) withDefaults(supervisor client.Client) Options {
	if o.ConfigsNamespace == "" {
		o.ConfigsNamespace = "default"
	}
	if o.SecretInterval == 0 {
		o.SecretInterval = 30 * time.Second
	}
	if o.Scheme == nil {
		o.Scheme = supervisor.Scheme()
	}
	o.Noun, o.MetricLabel = noun, "kubevirt_config"
	o.Options = o.WithDefaults()
	return o
}
