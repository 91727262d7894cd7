package machine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// The annotations that make a storage class the default one: of virtual machines, and of all.
var defaultClassAnnotations = []string{"storageclass.kubevirt.io/is-default-virt-class", "storageclass.kubernetes.io/is-default-class"}

// storageClasses are the names of those of the remote cluster. Where disks would be without one they would wait for ever, and say so to
// nobody who can help. A cluster that does not let us look gets the benefit of the doubt.
func (p *pass) storageClasses(ctx context.Context) ([]string, error) {
	if names, known := p.seen.classes.get(p.cluster(), p.now); known {
		return names, nil
	}
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return nil, p.unreachable(err)
	}
	list := &storagev1.StorageClassList{}
	if err := live.List(ctx, list); apierrors.IsForbidden(err) {
		return nil, nil
	} else if err != nil {
		return nil, p.unreachable(err)
	}
	names, byDefault := []string{}, false
	for _, class := range list.Items {
		names = append(names, class.Name)
		for _, annotation := range defaultClassAnnotations {
			byDefault = byDefault || class.Annotations[annotation] == "true"
		}
	}
	switch wanted := p.settings.Desired.StorageClassName; {
	case wanted == "" && !byDefault:
		return nil, p.noStorage("%s has no default storage class, and STORAGE_CLASS_NAME names none", p.ledger.Config)
	case wanted != "" && !slices.Contains(names, wanted):
		return nil, p.noStorage("%s has no storage class %s, which STORAGE_CLASS_NAME names", p.ledger.Config, wanted)
	default:
		p.seen.classes.put(p.cluster(), names, p.now)
		return names, nil
	}
}

func (p *pass) noStorage(format string, args ...any) error {
	return &Blocked{
		Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonStorageClassMissing,
		Message: fmt.Sprintf(format, args...), After: blockedRetry,
	}
}

// grow enlarges the claims of disks that the Machine wants larger than last.
func (p *pass) grow(ctx context.Context, wish, last desired.Wish) error {
	grown, err := wish.Grown(last)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(grown)) {
		if err := p.growDisk(ctx, name, grown[name]); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) growDisk(ctx context.Context, name string, gib int64) error {
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	claim := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: p.vm.Namespace, Name: desired.ClaimName(p.vm, name)}
	if key.Name == "" {
		return nil // taken out by hand
	}
	if err := live.Get(ctx, key, claim); err != nil {
		return p.unreachable(err)
	}
	if !desired.IsOurs(claim.Labels, p.uid(), p.settings.Desired.SupervisorUID) {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonDiskCollision, After: blockedRetry,
			Message: fmt.Sprintf("disk %s cannot grow: claim %s of %s does not carry this Machine's labels", name, claim.Name, p.ledger.Config),
		}
	}
	size := *resource.NewQuantity(gib<<30, resource.BinarySI)
	if claim.Spec.Resources.Requests.Storage().Cmp(size) >= 0 {
		return nil // done before, or by hand
	}
	larger := claim.DeepCopy()
	larger.Spec.Resources.Requests[corev1.ResourceStorage] = size
	err = p.remote.Patch(ctx, larger, client.MergeFromWithOptions(claim, client.MergeFromWithOptimisticLock{}), fieldOwner)
	return p.refused(err, "the growth of disk "+name+", claim "+claim.Name)
}

// freeISO deletes the image of a drive that was ejected, once neither the VirtualMachine nor its running instance refers to it: a claim that is
// deleted in use is stuck, and the next start with it.
func (p *pass) freeISO(ctx context.Context) error {
	if !desired.Installed(p.machine) {
		return nil
	}
	volume := &cdiv1beta1.DataVolume{}
	volume.Namespace, volume.Name = p.ledger.Namespace, desired.ISOName(*p.ledger, p.uid())
	if p.vmi != nil && refersTo(p.vmi.Spec.Volumes, volume.Name) || p.vm.Spec.Template != nil && refersTo(p.vm.Spec.Template.Spec.Volumes, volume.Name) {
		return nil // the instance's end is an event
	}
	if err := p.remote.Get(ctx, client.ObjectKeyFromObject(volume), volume); err != nil {
		return p.unreachable(client.IgnoreNotFound(err))
	}
	if !volume.DeletionTimestamp.IsZero() || !desired.IsOurs(volume.Labels, p.uid(), p.settings.Desired.SupervisorUID) {
		return nil
	}
	if err := p.remote.Delete(ctx, volume, client.Preconditions{UID: &volume.UID}); client.IgnoreNotFound(err) != nil {
		return p.refused(err, "the deletion of DataVolume "+volume.Name)
	}
	log.FromContext(ctx).Info("Deleted the image that the guest was installed from", "kubevirtConfig", p.ledger.Config, "dataVolume", volume.Name)
	return nil
}

func refersTo(volumes []kubevirtv1.Volume, dataVolume string) bool {
	return slices.ContainsFunc(volumes, func(v kubevirtv1.Volume) bool {
		return v.DataVolume != nil && v.DataVolume.Name == dataVolume ||
			v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == dataVolume
	})
}
