package removal

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// The kinds of disks. A DataVolume takes its PVC with it, so that it is deleted first.
var (
	dataVolume = cdiv1beta1.SchemeGroupVersion.WithKind(vitistackv1alpha1.DiskKindDataVolume)
	claim      = corev1.SchemeGroupVersion.WithKind(vitistackv1alpha1.DiskKindPersistentVolumeClaim)
)

// kindOf is the kind of a recorded disk: [vitistackv1alpha1.ParseDiskRecord] accepts these two.
func kindOf(disk vitistackv1alpha1.Disk) schema.GroupVersionKind {
	if disk.Kind == claim.Kind {
		return claim
	}
	return dataVolume
}

// DisksOf reads the disks that go with a VirtualMachine, from the API server itself: those that it
// makes or refers to, as far as it owns them or they carry the Machine's labels. A disk that a
// person plugged in is neither.
func (j Job) DisksOf(ctx context.Context, vm *kubevirtv1.VirtualMachine) (vitistackv1alpha1.DiskRecord, error) {
	var record vitistackv1alpha1.DiskRecord
	for _, name := range provision.DiskNames(vm) {
		for _, kind := range []schema.GroupVersionKind{dataVolume, claim} {
			disk, err := j.read(ctx, kind, name)
			if err != nil {
				return nil, err
			}
			if disk == nil {
				continue
			}
			if j.owns(vm.UID, disk) || slices.ContainsFunc(disk.OwnerReferences, func(o metav1.OwnerReference) bool {
				return has(record, o.UID)
			}) {
				record = append(record, vitistackv1alpha1.Disk{Kind: kind.Kind, Name: name, UID: disk.UID})
			}
		}
	}
	return record, nil
}

// read reads a disk's metadata past the cache, nil where there is none. A cluster without
// DataVolumes has none.
func (j Job) read(
	ctx context.Context, kind schema.GroupVersionKind, name string,
) (*metav1.PartialObjectMetadata, error) {
	disk := &metav1.PartialObjectMetadata{}
	disk.SetGroupVersionKind(kind)
	err := j.Remote.Server.Get(ctx, client.ObjectKey{Namespace: j.Ledger.Namespace, Name: name}, disk)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return disk, problem.Remote(err, j.Remote.Config, problem.At{Condition: ready, Doing: "reading disk " + name})
}

// Exists reports whether a recorded disk is still there.
func Exists(
	ctx context.Context, server side.RemoteServer, namespace string, recorded vitistackv1alpha1.Disk,
) (bool, error) {
	disk := &metav1.PartialObjectMetadata{}
	disk.SetGroupVersionKind(kindOf(recorded))
	err := server.Get(ctx, client.ObjectKey{Namespace: namespace, Name: recorded.Name}, disk)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && disk.UID == recorded.UID, err
}

// DeleteDisks waits until the recorded disks are gone, and deletes those that nothing else takes
// with it. The problem that it returns names the disk that is still there and what holds it. nil
// means that all are gone.
func (j Job) DeleteDisks(ctx context.Context, record vitistackv1alpha1.DiskRecord) error {
	var waiting error
	for _, recorded := range record {
		disk, err := j.read(ctx, kindOf(recorded), recorded.Name)
		if err != nil {
			return err
		}
		isFree := disk != nil && len(disk.OwnerReferences) == 0
		if disk == nil || disk.UID != recorded.UID || isFree && !j.isLabelled(disk) {
			continue // gone, or nothing but the record says that it is the Machine's: whoever can write a Machine can write that
		}
		if isFree && disk.DeletionTimestamp.IsZero() {
			if err := j.delete(ctx, disk); err != nil {
				return err
			}
		}
		if waiting == nil {
			waiting = problem.Cluster(ready, vitistackv1alpha1.ReasonDeleting,
				"waiting for disk %s in %s to be gone%s", disk.Name, j.Remote.Config, provision.HeldBy(disk))
		}
	}
	return waiting
}

func (j Job) delete(ctx context.Context, disk *metav1.PartialObjectMetadata) error {
	uid := disk.UID
	err := client.IgnoreNotFound(j.Remote.Writer.Delete(ctx, disk, client.Preconditions{UID: &uid}))
	return problem.Remote(err, j.Remote.Config, problem.At{Condition: ready, Doing: "deleting disk " + disk.Name})
}

// CopiedDisks are the names of disks that carry the Machine's labels and are not in the record,
// sorted: a person's copies, which stay.
func (j Job) CopiedDisks(ctx context.Context, record vitistackv1alpha1.DiskRecord) ([]string, error) {
	pvcs := provision.MetadataOf(claim)
	labels := client.MatchingLabels{
		vitistackv1alpha1.LabelMachineUID:    desired.LabelValue(string(j.MachineUID)),
		vitistackv1alpha1.LabelSupervisorUID: desired.LabelValue(j.SupervisorUID),
	}
	if err := j.Remote.Server.List(ctx, pvcs, client.InNamespace(j.Ledger.Namespace), labels); err != nil {
		return nil, problem.Remote(err, j.Remote.Config, problem.At{Condition: ready, Doing: "listing disks"})
	}
	var names []string
	for i := range pvcs.Items {
		if !has(record, pvcs.Items[i].UID) {
			names = append(names, pvcs.Items[i].Name)
		}
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}
