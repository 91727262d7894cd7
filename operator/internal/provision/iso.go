package provision

import (
	"context"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// FreeISO deletes the image of a drive that was ejected, once neither the VirtualMachine nor its
// running instance refers to it: a PVC that is deleted in use is stuck, and the next start with it.
func (j Job) FreeISO(ctx context.Context, vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance) error {
	if !desired.Installed(j.Machine) {
		return nil
	}
	volume := &cdiv1beta1.DataVolume{}
	volume.Namespace, volume.Name = j.Ledger.Namespace, desired.ISOName(j.Ledger, j.Machine.UID)
	if vmi != nil && refersTo(vmi.Spec.Volumes, volume.Name) || vm.Spec.Template != nil &&
		refersTo(vm.Spec.Template.Spec.Volumes, volume.Name) {
		return nil // the instance's end is an event
	}
	at := problem.At{Condition: vmReady, Doing: "deleting DataVolume " + volume.Name}
	if err := j.Remote.Cache.Get(ctx, client.ObjectKeyFromObject(volume), volume); err != nil {
		return problem.Remote(client.IgnoreNotFound(err), j.Remote.Config, at)
	}
	if !volume.DeletionTimestamp.IsZero() || !j.isLabelled(volume) {
		return nil
	}
	uid := volume.UID
	err := j.Remote.Writer.Delete(ctx, volume, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return problem.Remote(err, j.Remote.Config, at)
	}
	log.FromContext(ctx).Info("Deleted the image that the guest was installed from",
		"kubevirtConfig", j.Remote.Config, "dataVolume", volume.Name)
	return nil
}

func refersTo(volumes []kubevirtv1.Volume, dataVolume string) bool {
	return slices.ContainsFunc(volumes, func(v kubevirtv1.Volume) bool {
		return v.DataVolume != nil && v.DataVolume.Name == dataVolume ||
			v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == dataVolume
	})
}
