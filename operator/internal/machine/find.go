package machine

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

// find looks for the VirtualMachine: in the cache and, where it is not there, with a live look, because a cache that lacks it proves
// nothing.
func (p *pass) find(ctx context.Context) error {
	vm := &kubevirtv1.VirtualMachine{}
	err := p.remote.Get(ctx, p.vmKey(), vm)
	switch {
	case err == nil && p.ownerOf(vm) == ours:
		p.looked, p.vm = true, vm
		return nil
	case client.IgnoreNotFound(err) != nil:
		return p.unreachable(err)
	}
	found, err := p.lookIn(ctx, p.ledger.Config, p.ledger.VMName)
	if err != nil {
		return p.unreachable(err)
	}
	var mine []sighting
	for _, each := range found {
		if each.owner == ours {
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
		return nil
	}
	if len(found) > 0 {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonNameCollision,
			Message: fmt.Sprintf("%s has a VirtualMachine %s that is somebody else's", p.ledger.Config, p.ledger.VMName),
			After:   blockedRetry,
		}
	}
	return nil
}

func (p *pass) vmKey() client.ObjectKey {
	return client.ObjectKey{Namespace: p.ledger.Namespace, Name: p.ledger.VMName}
}

// observe reads what became of the VirtualMachine, from the cache.
func (p *pass) observe(ctx context.Context) error {
	if p.vm == nil {
		return nil
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	switch err := p.remote.Get(ctx, client.ObjectKeyFromObject(p.vm), vmi); {
	case err == nil:
		p.vmi = vmi
	case !apierrors.IsNotFound(err):
		return p.unreachable(err)
	}
	if p.vmi != nil && p.vmi.IsRunning() {
		return nil // its disks are well
	}
	volumes, err := p.listDataVolumes(ctx, p.remote)
	if err != nil {
		return p.unreachable(err)
	}
	p.dataVolumes = volumes.Items
	return nil
}

// labels select what was made for the Machine.
func (p *pass) labels() client.MatchingLabels {
	all := desired.Labels(p.machine, p.settings.Desired)
	return client.MatchingLabels{
		vitistackv1alpha1.LabelMachineUID:    all[vitistackv1alpha1.LabelMachineUID],
		vitistackv1alpha1.LabelSupervisorUID: all[vitistackv1alpha1.LabelSupervisorUID],
	}
}
