package machine

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// find looks for the VirtualMachine: in the cache and, where it is not there, with a live look, because a cache that lacks it proves
// nothing.
func (p *pass) find(ctx context.Context) error {
	vm := &kubevirtv1.VirtualMachine{}
	err := p.remote.Get(ctx, p.vmKey(), vm)
	switch {
	case err == nil && p.ownerOf(vm) == ours:
		p.looked, p.vm, p.cached = true, vm, true
		p.read.add(vm.ResourceVersion)
		return nil
	case client.IgnoreNotFound(err) != nil:
		return p.unreachable(err)
	}
	// Where this pass saw that there is none nobody else can have made it since: placing the Machine was guarded by its resourceVersion.
	if made := p.justMade(); made != nil || p.absent {
		p.looked, p.vm = true, made
		return nil
	}
	found, err := p.lookIn(ctx, p.ledger.Config, p.ledger.VMName)
	if err != nil {
		return p.unreachable(err)
	}
	var mine []sighting
	for _, each := range found {
		if each.owner == ours || each.owner == inherited {
			mine = append(mine, each)
		}
	}
	if len(mine) > 1 {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionReady, Reason: vitistackv1alpha1.ReasonDuplicateVM,
			Message: fmt.Sprintf("there is more than one VirtualMachine of this Machine in %s", p.ledger.Config),
			After:   blockedRetry,
		}
	}
	p.looked = true
	if len(mine) == 1 {
		p.vm = mine[0].vm
		if mine[0].owner == inherited {
			p.former = types.UID(p.vm.Labels[vitistackv1alpha1.LabelMachineUID])
		}
		return nil
	}
	if len(found) > 0 {
		return p.collide(found[0])
	}
	return nil
}

// justMade is the VirtualMachine that the last pass created and that the cache does not show yet, nil where there is none. What is recorded is not
// new any more.
func (p *pass) justMade() *kubevirtv1.VirtualMachine {
	made, _ := p.seen.made.get(string(p.uid()), p.now)
	if made == nil || p.ledger.VMUID != "" || made.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] != p.ledger.Nonce {
		return nil
	}
	return made
}

// collide: the place of the VirtualMachine is taken. What was nobody's when the Machine was placed is not adopted later.
func (p *pass) collide(with sighting) error {
	if with.owner != former {
		with.owner = foreign
	}
	return &Blocked{
		Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonNameCollision,
		Message: collision(p.ledger.Config, with), After: blockedRetry,
	}
}

// cluster is the cluster of the ledger, and no other that its KubevirtConfig stands for one day.
func (p *pass) cluster() string { return p.ledger.Config + "/" + p.ledger.ClusterUID }

func (p *pass) vmKey() client.ObjectKey {
	return client.ObjectKey{Namespace: p.ledger.Namespace, Name: p.ledger.VMName}
}

// observe reads what became of the VirtualMachine, from the cache.
func (p *pass) observe(ctx context.Context) error {
	if p.vm == nil {
		return nil
	}
	var err error
	if p.vmi, p.dataVolumes, err = p.readInstance(ctx, p.remote, client.ObjectKeyFromObject(p.vm)); err != nil {
		return p.unreachable(err)
	}
	p.read.addInstance(p.vmi, p.dataVolumes)
	return nil
}

// readInstance reads the running instance, nil where there is none, and the DataVolumes while they matter.
func (p *pass) readInstance(ctx context.Context, remote client.Client, key client.ObjectKey) (*kubevirtv1.VirtualMachineInstance, []cdiv1beta1.DataVolume, error) {
	vmi := &kubevirtv1.VirtualMachineInstance{}
	err := remote.Get(ctx, key, vmi)
	switch {
	case apierrors.IsNotFound(err):
		vmi = nil
	case err != nil:
		return nil, nil, err
	case vmi.IsRunning():
		return vmi, nil, nil // its disks are well
	}
	volumes, err := p.listDataVolumes(ctx, remote)
	return vmi, volumes.Items, err
}

// labels select what was made for the Machine.
func (p *pass) labels() client.MatchingLabels {
	all := desired.Labels(p.machine, p.settings.Desired)
	return client.MatchingLabels{
		vitistackv1alpha1.LabelMachineUID:    all[vitistackv1alpha1.LabelMachineUID],
		vitistackv1alpha1.LabelSupervisorUID: all[vitistackv1alpha1.LabelSupervisorUID],
	}
}
