package provision

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// storageClasses are those of the remote cluster. A disk without one would wait for ever, and say
// so to nobody who can help; so a Machine whose new disks need a default that the cluster lacks is
// refused. last is the wish last applied, nil at a creation.
func (j Job) storageClasses(ctx context.Context, last *desired.Wish) (desired.StorageClasses, error) {
	classes, err := j.readStorageClasses(ctx)
	if err != nil {
		return classes, err
	}
	return classes, problem.Pure(desired.CheckStorageClasses(j.Machine, classes, last, j.Options), vmReady)
}

// StorageClasses are those of the remote cluster.
func (j Job) StorageClasses(ctx context.Context) (desired.StorageClasses, error) {
	return j.readStorageClasses(ctx)
}

func (j Job) readStorageClasses(ctx context.Context) (desired.StorageClasses, error) {
	key := survey.Key(j.Remote.Config, j.Remote.ClusterUID)
	if known, found := j.Facts.StorageClasses.Get(key, j.Now); found {
		return known, nil
	}
	list := &storagev1.StorageClassList{}
	if err := j.Remote.Server.List(ctx, list); apierrors.IsForbidden(err) {
		return desired.StorageClasses{}, nil
	} else if err != nil {
		return desired.StorageClasses{},
			problem.Remote(err, j.Remote.Config, problem.At{Condition: vmReady, Doing: "listing storage classes"})
	}
	classes := desired.StorageClasses{Listed: true}
	for _, class := range list.Items {
		classes.Names = append(classes.Names, class.Name)
		classes.HasDefault = classes.HasDefault || isDefault(class)
	}
	if classes.HasDefault { // what is missing is asked for again
		j.Facts.StorageClasses.Put(key, classes, j.Now)
	}
	return classes, nil
}

// isDefault reports whether a storage class is the default one, of virtual machines or of all.
func isDefault(class storagev1.StorageClass) bool {
	return class.Annotations["storageclass.kubevirt.io/is-default-virt-class"] == "true" ||
		class.Annotations["storageclass.kubernetes.io/is-default-class"] == "true"
}

// grow enlarges the PVCs of disks that the Machine wants larger than last.
func (j Job) grow(ctx context.Context, vm *kubevirtv1.VirtualMachine, wishes Wishes) error {
	grown, err := wishes.Now.Grown(wishes.Last)
	if err != nil {
		return problem.Pure(err, vmReady)
	}
	for _, name := range slices.Sorted(maps.Keys(grown)) {
		if err := j.growDisk(ctx, vm, name, grown[name]); err != nil {
			return err
		}
	}
	return nil
}

func (j Job) growDisk(ctx context.Context, vm *kubevirtv1.VirtualMachine, name string, gib int64) error {
	pvc := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: vm.Namespace, Name: desired.ClaimName(vm, name)}
	if key.Name == "" {
		return nil // taken out by hand
	}
	at := problem.At{Condition: vmReady, Doing: "enlarging disk " + name + ", PVC " + key.Name}
	if err := j.Remote.Server.Get(ctx, key, pvc); err != nil {
		return problem.Remote(err, j.Remote.Config, at)
	}
	if !j.isLabelled(pvc) {
		return problem.Person(vmReady, vitistackv1alpha1.ReasonDiskCollision,
			"disk %s cannot grow: PVC %s in %s does not carry this Machine's labels", name, pvc.Name, j.Remote.Config)
	}
	size := *resource.NewQuantity(gib<<30, resource.BinarySI)
	if pvc.Spec.Resources.Requests.Storage().Cmp(size) >= 0 {
		return nil // done before, or by hand
	}
	larger := pvc.DeepCopy()
	larger.Spec.Resources.Requests[corev1.ResourceStorage] = size
	guarded := client.MergeFromWithOptions(pvc, client.MergeFromWithOptimisticLock{})
	return problem.Remote(j.Remote.Writer.Patch(ctx, larger, guarded, side.FieldOwner), j.Remote.Config, at)
}
