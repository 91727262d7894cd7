package machine

import (
	"context"
	"fmt"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/orphan"
)

// A Machine that comes back from a backup under a new UID is another one to all that was made for it. What the former one had is a VirtualMachine
// of this supervisor's, with a Machine of this name that is no more: a person may say that it is this one's.

// inherit asks the supervisor's API server itself whether nobody else lays claim to a former Machine's VirtualMachine.
func (p *pass) inherit(ctx context.Context, vm *kubevirtv1.VirtualMachine) (owner, error) {
	machines := metadataOf(machineKind)
	if err := p.live.List(ctx, machines, client.InNamespace(p.machine.Namespace)); err != nil {
		return foreign, fmt.Errorf("looking for the Machine of VirtualMachine %s: %w", vm.Name, err)
	}
	var others []client.Object
	for i := range machines.Items {
		if machines.Items[i].UID != p.uid() {
			others = append(others, &machines.Items[i])
		}
	}
	exists := len(others) < len(machines.Items) // this Machine: the one in hand may be from a cache that is behind
	if !exists || len(orphan.ClaimsOf(others).Without("", []kubevirtv1.VirtualMachine{*vm})) == 0 {
		return former, nil
	}
	return inherited, nil
}

// guardFormer refuses to place a Machine that may have a former one's VirtualMachine, wherever that is.
func (p *pass) guardFormer(seen sightings) error {
	others, where := seen.which(func(_ string, found sighting) bool { return found.owner == former })
	if len(others) == 0 || !p.mayBeFormer() {
		return nil
	}
	_, err := p.guardNamed(where[0], "", others[0])
	return err
}

// mayBeFormer says that the Machine may be one that had a VirtualMachine under another UID, anywhere: it has our finalizer before it is
// placed, or nobody says where it goes. A new one that names its cluster only has to do with that.
func (p *pass) mayBeFormer() bool {
	return references(p.machine) == [2]string{} || controllerutil.ContainsFinalizer(p.machine, vitistackv1alpha1.FinalizerMachine)
}

// hasFormer reports whether a cache has a former Machine's VirtualMachine of the wanted name: enough to look closer.
func (p *pass) hasFormer(ctx context.Context, vmName string) bool {
	return p.mayBeFormer() && slices.ContainsFunc(names(p.asked.request.Candidates), func(config string) bool {
		vm := &kubevirtv1.VirtualMachine{}
		remote, err := p.KubevirtClientMgr.GetClientForConfig(ctx, config)
		return err == nil && remote.Get(ctx, client.ObjectKey{Namespace: p.machine.Namespace, Name: vmName}, vm) == nil && p.ownerOf(vm) == former
	})
}
