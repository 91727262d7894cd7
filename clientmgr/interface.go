package clientmgr

import (
	"context"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// ClientManager gives access to the remote clusters by the names of their KubevirtConfigs.
// KubevirtClientManager is the real one, MockClientManager the one for unit tests. All methods are
// safe for concurrent use.
type ClientManager interface {
	// GetClientForConfig returns the client of one remote cluster. Reads of declared kinds come from
	// its cache, everything else goes to the server. It does no I/O and never waits. Errors are
	// *ConnectionError: ErrSupervisorNotSynced, ErrConfigNotFound, ErrBadKubeconfig,
	// ErrCredentialMissing, ErrNotConnected (ErrUnauthorized is one), ErrNotSynced, ErrForbidden,
	// ErrIdentityChanged, ErrIdentityUnverified.
	GetClientForConfig(ctx context.Context, kubevirtConfigName string) (client.Client, error)

	// GetOrCreateClientFromMachine returns the client of the cluster that the machine refers to, and
	// the KubevirtConfig's name (also beside an error, as far as it is known). The reference alone
	// counts: the placement ledger first, then spec.kubevirtConfigRef or the annotation
	// vitistack.io/kubevirt-config. It never places, dials or waits. Errors: those of
	// GetClientForConfig, ErrNoReference, ErrReferenceConflict; ErrIdentityChanged also where the
	// ledger was written for another cluster than the one connected now.
	GetOrCreateClientFromMachine(
		ctx context.Context, machine *vitistackv1alpha1.Machine,
	) (remote client.Client, kubevirtConfigName string, err error)

	// ListKubevirtConfigs returns all KubevirtConfigs known to the supervisor's cache, sorted by name.
	ListKubevirtConfigs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error)

	// GetRESTConfigForConfig returns a copy of the REST config of a connected cluster. Its transport
	// is the manager's own, so that a client built from it follows rotations too; upgraded connections
	// (exec, console) do not go through it. It does no I/O.
	GetRESTConfigForConfig(ctx context.Context, kubevirtConfigName string) (*rest.Config, error)

	// ValidateConnection asks the cluster now, for at most Options.ProbeTimeout. It returns the
	// look-up's error at once where there is no connection.
	ValidateConnection(ctx context.Context, kubevirtConfigName string) error

	// HealthCheck validates all clusters at the same time, each for at most Options.ProbeTimeout. It
	// returns the unhealthy ones by config name; an empty map means that all are well. HealthError
	// turns it into one error.
	HealthCheck(ctx context.Context) map[string]error

	// InvalidateClient drops the connection of a cluster, which then connects and syncs anew. Unknown
	// names are ignored. It returns at once.
	InvalidateClient(kubevirtConfigName string)

	// InvalidateAll is InvalidateClient for every cluster.
	InvalidateAll()

	// GetSupervisorClient returns the client of the supervisor cluster, as given to the constructor.
	GetSupervisorClient() client.Client
}

// LiveGetter gives readers that bypass the cache.
type LiveGetter interface {
	// Live returns a reader that asks the remote server itself. It works as soon as the cluster's
	// identity is settled, also while its caches are still syncing. A NotFound from it is the server's
	// own word about this object: an answer of a proxy, or of a server that does not know the kind, is
	// ErrKindNotServed and never NotFound. It does no I/O itself; errors as for
	// ClientManager.GetClientForConfig.
	Live(kubevirtConfigName string) (client.Reader, error)
}

// StateReporter tells what is known of the clusters.
type StateReporter interface {
	// States returns the states of all KubevirtConfigs, sorted by name. It does no I/O.
	States() []State

	// State returns the state of one KubevirtConfig; found is false where there is none of that name.
	// It does no I/O.
	State(kubevirtConfigName string) (state State, found bool)
}

// EventSource wakes a controller for what happens in the remote clusters.
type EventSource interface {
	// Source returns a source for a controller's Watches. It covers all clusters, present and future
	// ones. Each Source is independent: one that is slow delays no other.
	Source(handler EventHandler) source.Source
}

// RemoteClusters is everything that a controller needs of a client manager. KubevirtClientManager
// and MockClientManager are both.
type RemoteClusters interface {
	ClientManager
	LiveGetter
	StateReporter
	EventSource
}
