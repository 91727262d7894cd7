package provision

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

var (
	pvcKind        = corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim")
	dataVolumeKind = cdiv1beta1.SchemeGroupVersion.WithKind("DataVolume")
)

// Claim puts the Machine's labels on an adopted VirtualMachine, its running instance, and those of
// its disks that carry the labels by which the VirtualMachine itself was known. Nothing of its spec
// is changed. The VirtualMachine comes last: its labels say that the claim is complete.
//
// former is the UID of the Machine that the VirtualMachine was made for, "" for none.
func (j Job) Claim(
	ctx context.Context, vm *kubevirtv1.VirtualMachine, former types.UID,
) (*kubevirtv1.VirtualMachine, error) {
	at := problem.At{Condition: vmReady, Doing: "labelling VirtualMachine " + vm.Name}
	labels := desired.Labels(j.Machine, j.Options)
	live := &kubevirtv1.VirtualMachine{}
	if err := j.Remote.Server.Get(ctx, client.ObjectKeyFromObject(vm), live); err != nil {
		return nil, problem.Remote(err, j.Remote.Config, at)
	}
	if live.UID != vm.UID {
		return nil, problem.Time(vmReady, vitistackv1alpha1.ReasonRetrying, "another VirtualMachine is called %s now",
			vm.Name)
	}
	if err := j.claimInstance(ctx, live, labels); err != nil {
		return nil, err
	}
	if err := j.claimDisks(ctx, live, former); err != nil {
		return nil, err
	}
	claimed := live.DeepCopy()
	claimed.Labels = merged(claimed.Labels, labels)
	claimed.Annotations = merged(claimed.Annotations,
		map[string]string{vitistackv1alpha1.AnnotationPlacementNonce: j.Ledger.Nonce})
	if claimed.Spec.Template != nil {
		claimed.Spec.Template.ObjectMeta.Labels = merged(claimed.Spec.Template.ObjectMeta.Labels, labels)
	}
	guarded := client.MergeFromWithOptions(live, client.MergeFromWithOptimisticLock{})
	err := j.Remote.Writer.Patch(ctx, claimed, guarded, side.FieldOwner)
	return claimed, problem.Remote(err, j.Remote.Config, at)
}

// WriteWish writes down the present wish on a VirtualMachine that carries none, without any change:
// what the Machine asks for from now on is a change, and what it asked for before is not.
func (j Job) WriteWish(ctx context.Context, vm *kubevirtv1.VirtualMachine, now desired.Wish) error {
	written := vm.DeepCopy()
	written.Annotations = merged(written.Annotations,
		map[string]string{vitistackv1alpha1.AnnotationAppliedWish: now.String()})
	guarded := client.MergeFromWithOptions(vm, client.MergeFromWithOptimisticLock{})
	err := j.Remote.Writer.Patch(ctx, written, guarded, side.FieldOwner)
	return problem.Remote(err, j.Remote.Config,
		problem.At{Condition: vmReady, Doing: "annotating VirtualMachine " + vm.Name})
}

func (j Job) claimInstance(ctx context.Context, vm *kubevirtv1.VirtualMachine, labels map[string]string) error {
	at := problem.At{Condition: vmReady, Doing: "labelling the running instance " + vm.Name}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := j.Remote.Server.Get(ctx, client.ObjectKeyFromObject(vm), vmi); err != nil {
		return problem.Remote(client.IgnoreNotFound(err), j.Remote.Config, at)
	}
	labelled := vmi.DeepCopy()
	labelled.Labels = merged(labelled.Labels, labels)
	guarded := client.MergeFromWithOptions(vmi, client.MergeFromWithOptimisticLock{})
	err := j.Remote.Writer.Patch(ctx, labelled, guarded, side.FieldOwner)
	return problem.Remote(client.IgnoreNotFound(err), j.Remote.Config, at)
}

// claimDisks labels the disks that the VirtualMachine refers to, where they carry the same earlier
// labels as it does. All others are somebody else's. The cloud-init Secret goes with the
// VirtualMachine by itself.
func (j Job) claimDisks(ctx context.Context, vm *kubevirtv1.VirtualMachine, former types.UID) error {
	earlier := j.earlierLabels(vm, former)
	if len(earlier) == 0 {
		return nil
	}
	kinds := []schema.GroupVersionKind{pvcKind}
	if former != "" {
		kinds = append(kinds, dataVolumeKind)
	}
	used := DiskNames(vm)
	for _, kind := range kinds {
		at := problem.At{Condition: vmReady, Doing: "labelling disks of VirtualMachine " + vm.Name}
		disks := MetadataOf(kind)
		if err := j.Remote.Server.List(ctx, disks, client.InNamespace(vm.Namespace), earlier); err != nil {
			return problem.Remote(err, j.Remote.Config, at)
		}
		for i := range disks.Items {
			disk := &disks.Items[i]
			if !slices.Contains(used, disk.Name) || former == "" && j.isTaken(disk) {
				continue
			}
			disk.SetGroupVersionKind(kind)
			if err := j.claimDisk(ctx, disk); err != nil {
				return problem.Remote(err, j.Remote.Config, at)
			}
		}
	}
	return nil
}

// ClaimSupervisorPVCs labels the PVCs in the supervisor that belonged to the VirtualMachine in an
// early layout. It needs a right that only the flag --legacy-supervisor-claims asks for.
func (j Job) ClaimSupervisorPVCs(ctx context.Context, vm *kubevirtv1.VirtualMachine, former types.UID) error {
	earlier := j.earlierLabels(vm, former)
	if len(earlier) == 0 {
		return nil
	}
	at := problem.At{Condition: vmReady, Doing: "labelling PVCs in the supervisor"}
	pvcs := MetadataOf(pvcKind)
	if err := j.Supervisor.Server.List(ctx, pvcs, client.InNamespace(j.Machine.Namespace), earlier); err != nil {
		return problem.Supervisor(err, at)
	}
	for i := range pvcs.Items {
		pvc := &pvcs.Items[i]
		if former == "" && j.isTaken(pvc) {
			continue
		}
		pvc.SetGroupVersionKind(pvcKind)
		before := pvc.DeepCopy()
		pvc.Labels = merged(pvc.Labels, desired.Labels(j.Machine, j.Options))
		guarded := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
		if err := client.IgnoreNotFound(j.Supervisor.Writer.Patch(ctx, pvc, guarded)); err != nil {
			return problem.Supervisor(err, at)
		}
	}
	return nil
}

// isTaken reports whether somebody else has a claim to a disk.
func (j Job) isTaken(disk client.Object) bool {
	labels := disk.GetLabels()
	return labels[vitistackv1alpha1.LabelMachineUID]+labels[vitistackv1alpha1.LabelSupervisorUID] != "" ||
		metav1.GetControllerOf(disk) != nil
}

func (j Job) claimDisk(ctx context.Context, disk *metav1.PartialObjectMetadata) error {
	before := disk.DeepCopy()
	disk.Labels = merged(disk.Labels, desired.Labels(j.Machine, j.Options))
	guarded := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	return client.IgnoreNotFound(j.Remote.Writer.Patch(ctx, disk, guarded, side.FieldOwner))
}

// earlierLabels select what belonged to the VirtualMachine before: by the UID of a former Machine,
// or by the labels that an earlier release gave.
func (j Job) earlierLabels(vm *kubevirtv1.VirtualMachine, former types.UID) client.MatchingLabels {
	if former != "" {
		of := j.labels()
		of[vitistackv1alpha1.LabelMachineUID] = desired.LabelValue(string(former))
		return of
	}
	for _, pair := range [][2]string{
		{vitistackv1alpha1.LabelSourceMachine, vitistackv1alpha1.LabelManagedBy},
		{vitistackv1alpha1.LegacyLabelSourceMachine, vitistackv1alpha1.LegacyLabelManagedBy},
	} {
		if source, by := vm.Labels[pair[0]], vm.Labels[pair[1]]; source == desired.LabelValue(j.Machine.Name) && by != "" {
			return client.MatchingLabels{pair[0]: source, pair[1]: by}
		}
	}
	return nil
}

// DiskNames are the names of the DataVolumes and PVCs that a VirtualMachine makes or refers to,
// sorted, each once.
func DiskNames(vm *kubevirtv1.VirtualMachine) []string {
	names := map[string]struct{}{}
	for _, template := range vm.Spec.DataVolumeTemplates {
		names[template.Name] = struct{}{}
	}
	if vm.Spec.Template != nil {
		for _, volume := range vm.Spec.Template.Spec.Volumes {
			if volume.DataVolume != nil {
				names[volume.DataVolume.Name] = struct{}{}
			}
			if volume.PersistentVolumeClaim != nil {
				names[volume.PersistentVolumeClaim.ClaimName] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// MetadataOf is an empty list of what objects of a kind are called and belong to.
func MetadataOf(kind schema.GroupVersionKind) *metav1.PartialObjectMetadataList {
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
