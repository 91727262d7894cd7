package removal

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const ready = vitistackv1alpha1.ConditionReady

// Job is what is to be removed, and where.
type Job struct {
	// MachineUID and SupervisorUID are what disks of the Machine carry in their labels.
	MachineUID    types.UID
	SupervisorUID string
	Ledger        vitistackv1alpha1.Ledger
	Remote        side.Remote
}

// DeleteVM deletes a VirtualMachine by its UID. The problem that it returns lasts until the
// VirtualMachine is gone, and names what holds it. deleted is true where this call began the
// deletion.
func (j Job) DeleteVM(ctx context.Context, vm *kubevirtv1.VirtualMachine) (deleted bool, err error) {
	if vm.DeletionTimestamp.IsZero() {
		if move, _, stopped := strings.Cut(vm.Annotations[vitistackv1alpha1.AnnotationMovedBy], "."); stopped {
			if err := j.DeleteOffer(ctx, move); err != nil {
				return false, err
			}
		}
		uid := vm.UID
		err := j.Remote.Writer.Delete(ctx, vm, client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return false, problem.Remote(err, j.Remote.Config,
				problem.At{Condition: ready, Doing: "deleting VirtualMachine " + vm.Name})
		}
		log.FromContext(ctx).Info("Deleted VirtualMachine", "kubevirtConfig", j.Remote.Config, "vm", vm.Name)
		deleted = true
	}
	return deleted, problem.Cluster(ready, vitistackv1alpha1.ReasonDeleting,
		"waiting for VirtualMachine %s in %s to be gone%s", vm.Name, j.Remote.Config, provision.HeldBy(vm))
}

// owns reports whether a disk goes with a VirtualMachine: that owns it, or it carries the Machine's
// labels.
func (j Job) owns(vm types.UID, disk client.Object) bool {
	for _, owner := range disk.GetOwnerReferences() {
		if owner.UID == vm {
			return true
		}
	}
	return j.isLabelled(disk)
}

// isLabelled reports whether a disk carries the Machine's labels.
func (j Job) isLabelled(disk client.Object) bool {
	return desired.IsOurs(disk.GetLabels(), j.MachineUID, j.SupervisorUID)
}

// has reports whether a record names an object.
func has(record vitistackv1alpha1.DiskRecord, uid types.UID) bool {
	return slices.ContainsFunc(record, func(d vitistackv1alpha1.Disk) bool { return d.UID == uid })
}
