package survey

import (
	"context"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
)

// Open returns the remote cluster that a Machine's ledger names. It neither dials nor waits.
func Open(ctx context.Context, clusters clientmgr.RemoteClusters, machine *vitistackv1alpha1.Machine) (side.Remote, error) {
	at := problem.At{Condition: vitistackv1alpha1.ConditionRemoteReachable, Doing: "getting the client"}
	remote, config, err := clusters.GetOrCreateClientFromMachine(ctx, machine)
	if err != nil {
		return side.Remote{}, problem.Remote(err, config, at)
	}
	live, err := clusters.Live(config)
	if err != nil {
		return side.Remote{}, problem.Remote(err, config, at)
	}
	state, _ := clusters.State(config)
	return side.Remote{
		Config: config, ClusterUID: state.ClusterUID,
		Cache: side.RemoteCache{Reader: remote}, Server: side.RemoteServer{Reader: live}, Writer: remote,
	}, nil
}
