package machine

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// rest remembers the Machines whose last pass had nothing to do and nothing to wait for, and what it read. A pass that would read the same has
// nothing to do either: a cluster that comes back, or a class that changes, wakes many such Machines.
type rest struct {
	seed maphash.Seed

	mu     sync.Mutex
	locked map[types.NamespacedName]resting
}

// resting is a Machine that has nothing to do while footprint and the connection to its cluster stay.
type resting struct {
	footprint uint64
	config    string
	since     time.Time // of the connection
	vm        client.ObjectKey
	networks  []client.ObjectKey // its NetworkConfigurations
	class     string             // "" for none
}

func newRest() *rest {
	return &rest{seed: maphash.MakeSeed(), locked: map[types.NamespacedName]resting{}}
}

func (r *rest) of(key types.NamespacedName) (resting, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.locked[key]
	return found, ok
}

func (r *rest) remember(key types.NamespacedName, m resting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locked[key] = m
}

func (r *rest) forget(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.locked, key)
}

// footprint is a hash of what a pass has read, in its order: resourceVersions, and "" for what is not there.
type footprint struct{ hash maphash.Hash }

func (f *footprint) add(version string) {
	_, _ = f.hash.WriteString(version) // never fails
	_ = f.hash.WriteByte(0)
}

func (f *footprint) addNetworks(list *vitistackv1alpha1.NetworkNamespaceList) {
	for i := range list.Items {
		f.add(list.Items[i].ResourceVersion)
	}
}

func (f *footprint) addInstance(vmi *kubevirtv1.VirtualMachineInstance, volumes []cdiv1beta1.DataVolume) {
	if vmi == nil {
		f.add("")
	} else {
		f.add(vmi.ResourceVersion)
	}
	for i := range volumes {
		f.add(volumes[i].ResourceVersion)
	}
}

// settled is called when a pass of the Machine found nothing to do.
func (p *pass) settled() {
	state, _ := p.KubevirtClientMgr.State(p.ledger.Config)
	p.rest.remember(client.ObjectKeyFromObject(p.machine), resting{
		footprint: p.read.hash.Sum64(), config: p.ledger.Config, since: state.Since, vm: p.vmKey(), class: p.classRead,
		networks: p.networkConfigurations,
	})
}

// isResting reads again what the last pass of the Machine read, all of it from caches, and reports whether it is the same.
func (p *pass) isResting(ctx context.Context) bool {
	key := client.ObjectKeyFromObject(p.machine)
	was, found := p.rest.of(key)
	if !found {
		return false
	}
	remote, err := p.KubevirtClientMgr.GetClientForConfig(ctx, was.config)
	if state, _ := p.KubevirtClientMgr.State(was.config); err != nil || !state.Since.Equal(was.since) {
		return false
	}
	var now footprint
	now.hash.SetSeed(p.rest.seed)
	now.add(p.machine.ResourceVersion)
	vm := &kubevirtv1.VirtualMachine{}
	if remote.Get(ctx, was.vm, vm) != nil {
		return false
	}
	now.add(vm.ResourceVersion)
	vmi, volumes, err := p.readInstance(ctx, remote, was.vm)
	if err != nil {
		return false
	}
	now.addInstance(vmi, volumes)
	networks := &vitistackv1alpha1.NetworkNamespaceList{}
	if p.List(ctx, networks, client.InNamespace(key.Namespace)) != nil {
		return false
	}
	now.addNetworks(networks)
	for _, key := range was.networks {
		configuration := &vitistackv1alpha1.NetworkConfiguration{}
		if p.Get(ctx, key, configuration) != nil {
			return false
		}
		now.add(configuration.ResourceVersion)
	}
	if was.class != "" {
		class := &vitistackv1alpha1.MachineClass{}
		if p.Get(ctx, client.ObjectKey{Name: was.class}, class) != nil {
			return false
		}
		now.add(class.ResourceVersion)
	}
	return now.hash.Sum64() == was.footprint
}
