package machine

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
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
	if err := p.claimDisks(ctx); err != nil {
		return err
	}
	claimed := p.vm.DeepCopy()
	claimed.Labels = merged(claimed.Labels, labels)
	// A wish that was applied stays: what the Machine asks for otherwise is a change.
	claimed.Annotations = merged(map[string]string{vitistackv1alpha1.AnnotationAppliedWish: wish.String()}, claimed.Annotations)
	claimed.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] = p.ledger.Nonce
	if claimed.Spec.Template != nil {
		claimed.Spec.Template.ObjectMeta.Labels = merged(claimed.Spec.Template.ObjectMeta.Labels, labels)
	}
	if err := p.remote.Patch(ctx, claimed, client.MergeFromWithOptions(p.vm, client.MergeFromWithOptimisticLock{}), fieldOwner); err != nil {
		return p.refused(err, "the labels of VirtualMachine "+p.vm.Name)
	}
	p.vm = claimed
	if p.former != "" && !p.recorded {
		p.report(ctx, choice{config: p.ledger.Config, vm: &sighting{vm: p.vm}})
	}
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

var (
	claimKind      = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	dataVolumeKind = cdiv1beta1.SchemeGroupVersion.WithKind("DataVolume")
	machineKind    = vitistackv1alpha1.SchemeGroupVersion.WithKind("Machine")
)

// claimDisks puts our labels on disks in either cluster that were labelled for the same Machine as the VirtualMachine itself: those go when it
// goes. All others are somebody else's. Its cloud-init Secret goes with it by itself.
func (p *pass) claimDisks(ctx context.Context) error {
	if len(p.disksToClaim()) == 0 {
		return nil
	}
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	err = p.claimAll(ctx, live, p.remote, claimKind)
	if err == nil && p.former != "" {
		err = p.claimAll(ctx, live, p.remote, dataVolumeKind)
	}
	if err != nil {
		return p.refused(err, "the labels of disks of VirtualMachine "+p.vm.Name)
	}
	return p.claimAll(ctx, p.live, p.Client, claimKind)
}

// disksToClaim are the labels of the former Machine, or those that an earlier release gave for its name.
func (p *pass) disksToClaim() client.MatchingLabels {
	if p.former != "" {
		of := p.labels()
		of[vitistackv1alpha1.LabelMachineUID] = string(p.former)
		return of
	}
	of := client.MatchingLabels{}
	for _, pair := range [][2]string{
		{vitistackv1alpha1.LabelSourceMachine, vitistackv1alpha1.LabelManagedBy},
		{vitistackv1alpha1.LegacyLabelSourceMachine, vitistackv1alpha1.LegacyLabelManagedBy},
	} {
		if source, by := p.vm.Labels[pair[0]], p.vm.Labels[pair[1]]; source == desired.LabelValue(p.machine.Name) && by != "" {
			of = client.MatchingLabels{pair[0]: source, pair[1]: by}
		}
	}
	return of
}

// claimAll labels those disks of a kind that nobody else has claimed; the former Machine's say themselves whose they are.
func (p *pass) claimAll(ctx context.Context, reader client.Reader, writer client.Client, kind schema.GroupVersionKind) error {
	disks := metadataOf(kind)
	if err := reader.List(ctx, disks, client.InNamespace(p.machine.Namespace), p.disksToClaim()); err != nil {
		return err
	}
	for i := range disks.Items {
		disk := &disks.Items[i]
		taken := disk.Labels[vitistackv1alpha1.LabelMachineUID] + disk.Labels[vitistackv1alpha1.LabelSupervisorUID]
		if p.former == "" && (taken != "" || metav1.GetControllerOf(disk) != nil) {
			continue
		}
		disk.SetGroupVersionKind(kind)
		before := disk.DeepCopy()
		disk.Labels = merged(disk.Labels, desired.Labels(p.machine, p.settings.Desired))
		patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := client.IgnoreNotFound(writer.Patch(ctx, disk, patch, fieldOwner, uncached)); err != nil {
			return err
		}
	}
	return nil
}

// metadataOf is an empty list of what objects of a kind are called and belong to.
func metadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadataList {
	kind.Kind += "List"
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind)
	return list
}

func merged(to, from map[string]string) map[string]string {
	all := make(map[string]string, len(to)+len(from))
	maps.Copy(all, to)
	maps.Copy(all, from)
	return all
}
