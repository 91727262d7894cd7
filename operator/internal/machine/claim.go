package machine

import (
	"context"
	"maps"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

// labelled says that the VirtualMachine carries the labels by which it is found and cached.
func (p *pass) labelled() bool {
	for label, value := range p.labels() {
		if p.vm.Labels[label] != value {
			return false
		}
	}
	return true
}

// claim puts our labels on an adopted VirtualMachine and its running instance. Nothing of its spec is changed: from now on a change of the
// Machine is what changes it. The VirtualMachine comes last, because its labels say that the claim is complete.
func (p *pass) claim(ctx context.Context, wish desired.Wish) error {
	labels := desired.Labels(p.machine, p.settings.Desired)
	if err := p.claimInstance(ctx, labels); err != nil {
		return err
	}
	claimed := p.vm.DeepCopy()
	claimed.Labels = merged(claimed.Labels, labels)
	claimed.Annotations = merged(claimed.Annotations, map[string]string{
		vitistackv1alpha1.AnnotationAppliedWish: wish.String(), vitistackv1alpha1.AnnotationPlacementNonce: p.ledger.Nonce,
	})
	if claimed.Spec.Template != nil {
		claimed.Spec.Template.ObjectMeta.Labels = merged(claimed.Spec.Template.ObjectMeta.Labels, labels)
	}
	if err := p.remote.Patch(ctx, claimed, client.MergeFromWithOptions(p.vm, client.MergeFromWithOptimisticLock{}), fieldOwner); err != nil {
		return p.refused(err, "the labels of VirtualMachine "+p.vm.Name)
	}
	p.vm = claimed
	return nil
}

func (p *pass) claimInstance(ctx context.Context, labels map[string]string) error {
	reader, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := reader.Get(ctx, client.ObjectKeyFromObject(p.vm), vmi); err != nil {
		return p.unreachable(client.IgnoreNotFound(err))
	}
	labelled := vmi.DeepCopy()
	labelled.Labels = merged(labelled.Labels, labels)
	if err := p.remote.Patch(ctx, labelled, client.MergeFromWithOptions(vmi, client.MergeFromWithOptimisticLock{}), fieldOwner); err != nil {
		return p.refused(client.IgnoreNotFound(err), "the labels of the running instance "+p.vm.Name)
	}
	return nil
}

func merged(to, from map[string]string) map[string]string {
	all := make(map[string]string, len(to)+len(from))
	maps.Copy(all, to)
	maps.Copy(all, from)
	return all
}
