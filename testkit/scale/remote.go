package scale

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/standin"
)

// remote is a cluster that Machines are placed in, real or a stand-in.
type remote struct {
	name string
	// kubeconfig leads to a stand-in; nil for a real cluster, which is registered already.
	kubeconfig []byte
	config     *rest.Config // the administrator's
	// silence lets the cluster answer the operator nothing, or end that.
	silence func(silent bool) error
	// hold keeps KubeVirt from writing again what a guest was changed from, or ends that.
	hold func(held bool) error

	connecting sync.Once
	client     client.WithWatch
	failed     error
}

func newStandIn(server *standin.Server) *remote {
	r := &remote{name: server.Name(), kubeconfig: server.Kubeconfig()}
	r.silence = func(silent bool) error {
		server.Silence(silent)
		return nil
	}
	r.hold = func(bool) error { return nil } // nobody writes into an instance that runs
	return r
}

func newReal(cluster *fleet.Cluster) *remote {
	return &remote{
		name: cluster.Name, config: cluster.ControlPlane.Config(),
		silence: func(silent bool) error {
			kind := faults.Pass
			if silent {
				kind = faults.Blackhole
			}
			return cluster.SetFault(faults.Fault{Kind: kind})
		},
		hold: func(held bool) error {
			if held {
				return cluster.KubeVirt.Freeze()
			}
			return cluster.KubeVirt.Thaw()
		},
	}
}

// connect returns a client that goes to the cluster as its administrator and asks for no discovery.
func (r *remote) connect() (client.WithWatch, error) {
	r.connecting.Do(func() {
		config := r.config
		if config == nil {
			if config, r.failed = clientcmd.RESTConfigFromKubeConfig(r.kubeconfig); r.failed != nil {
				return
			}
		}
		mapper := meta.NewDefaultRESTMapper(nil)
		for _, kind := range []string{"VirtualMachine", "VirtualMachineInstance"} {
			mapper.Add(kubevirtv1.GroupVersion.WithKind(kind), meta.RESTScopeNamespace)
		}
		r.client, r.failed = newClient(config, mapper)
	})
	return r.client, r.failed
}

// moveGuest lets the guest of a Machine be on another node, and returns when it asked for that.
func (r *remote) moveGuest(ctx context.Context, machine, node string) (asked time.Time, err error) {
	c, err := r.connect()
	if err != nil {
		return asked, err
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	key := client.ObjectKey{Namespace: namespace, Name: vmName(machine)}
	if err := c.Get(ctx, key, vmi); err != nil { // and the connection is there
		return asked, fmt.Errorf("the guest of %s in %s: %w", machine, r.name, err)
	}
	patch := fmt.Appendf(nil, `{"status":{"nodeName":%q}}`, node)
	asked = time.Now()
	if err := c.Patch(ctx, vmi, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return asked, fmt.Errorf("moving the guest of %s in %s: %w", machine, r.name, err)
	}
	if vmi.Status.NodeName != node {
		return asked, fmt.Errorf("the instance of %s does not take another node", machine)
	}
	return asked, nil
}

func vmName(machine string) string { return "vm-" + machine }
