package survey

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/secrecy"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
)

// Open returns the remote cluster that a Machine's ledger names. It neither dials nor waits.
func Open(
	ctx context.Context, clusters clientmgr.RemoteClusters, machine *vitistackv1alpha1.Machine,
) (side.Remote, error) {
	at := problem.At{Condition: vitistackv1alpha1.ConditionRemoteReachable, Doing: "getting the client"}
	remote, config, err := clusters.GetOrCreateClientFromMachine(ctx, machine)
	if err != nil {
		return side.Remote{}, problem.Remote(err, config, at)
	}
	state, _ := clusters.State(config)
	return side.Remote{
		Config: config, ClusterUID: state.ClusterUID,
		Cache: side.RemoteCache{Reader: remote}, Server: side.RemoteServer{Reader: server{clusters, config}},
		Writer: secrecy.Client(remote),
	}, nil
}

// server is a reader past the cache that asks for its connection when it is used.
type server struct {
	clusters Clusters
	config   string
}

// Get implements client.Reader.
func (s server) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	reader, err := s.clusters.Live(s.config)
	if err != nil {
		return err
	}
	return reader.Get(ctx, key, object, opts...)
}

// List implements client.Reader.
func (s server) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	reader, err := s.clusters.Live(s.config)
	if err != nil {
		return err
	}
	return reader.List(ctx, list, opts...)
}

// OpenAt returns the remote cluster of a ledger, which need not be the one that a Machine has now.
// It neither dials nor waits. A cluster that has not proven to be the ledger's is an error.
func OpenAt(
	ctx context.Context, clusters clientmgr.RemoteClusters, ledger vitistackv1alpha1.Ledger,
) (side.Remote, error) {
	at := problem.At{Condition: vitistackv1alpha1.ConditionRemoteReachable, Doing: "getting the client"}
	remote, err := clusters.GetClientForConfig(ctx, ledger.Config)
	if err != nil {
		return side.Remote{}, problem.Remote(err, ledger.Config, at)
	}
	state, _ := clusters.State(ledger.Config)
	if state.ClusterUID != ledger.ClusterUID {
		return side.Remote{}, problem.Cluster(at.Condition, vitistackv1alpha1.ReasonIdentityChanged,
			"KubevirtConfig %s stands for another cluster now", ledger.Config)
	}
	return side.Remote{
		Config: ledger.Config, ClusterUID: state.ClusterUID, Cache: side.RemoteCache{Reader: remote},
		Server: side.RemoteServer{Reader: server{clusters, ledger.Config}},
		Writer: secrecy.Client(remote),
	}, nil
}
