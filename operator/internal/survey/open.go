package survey

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
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
		Cache: side.RemoteCache{Reader: remote}, Server: side.RemoteServer{Reader: server{clusters, config}}, Writer: remote,
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
