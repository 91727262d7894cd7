package machine

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
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
	if err := p.claimDisks(ctx, labels); err != nil {
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

// claimDisks puts our labels on disks in either cluster that an earlier release has labelled for the same Machine as the VirtualMachine
// itself: those go when it goes. All others are somebody else's.
func (p *pass) claimDisks(ctx context.Context, labels map[string]string) error {
	of := client.MatchingLabels{}
	for _, pair := range [][2]string{
		{vitistackv1alpha1.LabelSourceMachine, vitistackv1alpha1.LabelManagedBy},
		{vitistackv1alpha1.LegacyLabelSourceMachine, vitistackv1alpha1.LegacyLabelManagedBy},
	} {
		if source, by := p.vm.Labels[pair[0]], p.vm.Labels[pair[1]]; source == desired.LabelValue(p.machine.Name) && by != "" {
			of = client.MatchingLabels{pair[0]: source, pair[1]: by}
		}
	}
	if len(of) == 0 {
		return nil
	}
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	claims := newClaims()
	err = live.List(ctx, claims, client.InNamespace(p.ledger.Namespace), of)
	if err == nil {
		err = claimAll(ctx, p.remote, claims, labels)
	}
	if err != nil {
		return p.refused(err, "the labels of disks of VirtualMachine "+p.vm.Name)
	}
	claims = newClaims()
	if err := p.live.List(ctx, claims, client.InNamespace(p.machine.Namespace), of); err != nil {
		return err
	}
	return claimAll(ctx, p.Client, claims, labels)
}

// claimAll labels those claims that nobody else has claimed.
func claimAll(ctx context.Context, writer client.Client, claims *metav1.PartialObjectMetadataList, labels map[string]string) error {
	for i := range claims.Items {
		claim := &claims.Items[i]
		taken := claim.Labels[vitistackv1alpha1.LabelMachineUID] + claim.Labels[vitistackv1alpha1.LabelSupervisorUID]
		if taken != "" || metav1.GetControllerOf(claim) != nil {
			continue
		}
		claim.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"))
		before := claim.DeepCopy()
		claim.Labels = merged(claim.Labels, labels)
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := client.IgnoreNotFound(writer.Patch(ctx, claim, patch, fieldOwner, uncached)); err != nil {
			return err
		}
	}
	return nil
}

// newClaims is an empty list of what PersistentVolumeClaims are called and belong to.
func newClaims() *metav1.PartialObjectMetadataList {
	claims := &metav1.PartialObjectMetadataList{}
	claims.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaimList"))
	return claims
}

func merged(to, from map[string]string) map[string]string {
	all := make(map[string]string, len(to)+len(from))
	maps.Copy(all, to)
	maps.Copy(all, from)
	return all
}
