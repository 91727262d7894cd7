package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

// leftoverRetry is when claims are looked for again that no event tells of: they are not watched.
const leftoverRetry = 2 * time.Second

// connectToDelete gets the remote cluster. A Machine that was never placed has nothing there; one that a person released is let go
// without a look.
func (p *pass) connectToDelete(ctx context.Context) error {
	if !controllerutil.ContainsFinalizer(p.machine, vitistackv1alpha1.FinalizerMachine) {
		return errDone
	}
	if p.ledger == nil {
		if p.machine.Status.KubevirtConfigRef != nil {
			return blockReady(vitistackv1alpha1.ReasonLedgerConflict,
				"the Machine was placed in %s, but annotation %s is gone", p.machine.Status.KubevirtConfigRef.Name, vitistackv1alpha1.AnnotationPlacement)
		}
		return nil
	}
	if p.released() {
		p.event(eventWarning, "Released", "Delete", "abandoned what is left in "+p.ledger.Config)
		return nil
	}
	return p.connect(ctx)
}

// released says that a person gave up what the Machine has in the cluster of its ledger.
func (p *pass) released() bool {
	return p.machine.Annotations[vitistackv1alpha1.AnnotationForceRelease] == p.ledger.Config
}

// deleteVM deletes the VirtualMachine by its UID, and waits until it is gone with its disks.
func (p *pass) deleteVM(ctx context.Context) error {
	if p.ledger == nil || p.remote == nil {
		return nil
	}
	found, err := p.lookIn(ctx, p.ledger.Config, p.ledger.VMName)
	if err != nil {
		return p.unreachable(err)
	}
	found = slices.DeleteFunc(found, func(s sighting) bool { return s.owner != ours })
	p.looked = true
	for _, s := range found {
		p.vm = s.vm
		if !s.vm.DeletionTimestamp.IsZero() {
			continue
		}
		err := p.remote.Delete(ctx, s.vm, client.Preconditions{UID: &s.vm.UID})
		if err := client.IgnoreNotFound(err); err != nil {
			return p.refused(err, "the deletion of VirtualMachine "+s.vm.Name)
		}
		log.FromContext(ctx).Info("Deleted VirtualMachine", "kubevirtConfig", p.ledger.Config, "vm", s.vm.Name)
		p.event(eventNormal, "Deleted", "Delete", fmt.Sprintf("deleted VirtualMachine %s in %s", s.vm.Name, p.ledger.Config))
	}
	if len(found) > 0 {
		return p.waitGone("VirtualMachine "+found[0].vm.Name, leftoverRetry)
	}
	return p.deleteDisks(ctx)
}

// deleteDisks waits for the disks, which go with the VirtualMachine, and deletes those that were left without an owner.
func (p *pass) deleteDisks(ctx context.Context) error {
	live, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return p.unreachable(err)
	}
	volumes, err := p.listDataVolumes(ctx, live)
	if err != nil {
		return p.unreachable(err)
	}
	claims := &corev1.PersistentVolumeClaimList{}
	if err := live.List(ctx, claims, client.InNamespace(p.ledger.Namespace), p.labels()); err != nil {
		return p.unreachable(err)
	}
	var left []client.Object
	for i := range volumes.Items {
		left = append(left, &volumes.Items[i])
	}
	for i := range claims.Items {
		left = append(left, &claims.Items[i])
	}
	for _, object := range left {
		if !object.GetDeletionTimestamp().IsZero() || len(object.GetOwnerReferences()) > 0 {
			continue
		}
		uid := object.GetUID()
		if err := p.remote.Delete(ctx, object, client.Preconditions{UID: &uid}); client.IgnoreNotFound(err) != nil {
			return p.refused(err, "the deletion of disk "+object.GetName())
		}
	}
	if len(left) > 0 {
		return p.waitGone("disk "+left[0].GetName(), leftoverRetry)
	}
	return nil
}

// listDataVolumes lists the Machine's. A cluster without CDI has none.
func (p *pass) listDataVolumes(ctx context.Context, reader client.Reader) (*cdiv1beta1.DataVolumeList, error) {
	volumes := &cdiv1beta1.DataVolumeList{}
	return volumes, reader.List(ctx, volumes, client.InNamespace(p.ledger.Namespace), p.labels())
}

func (p *pass) waitGone(what string, after time.Duration) error {
	return &Wait{
		Condition: vitistackv1alpha1.ConditionReady, Reason: vitistackv1alpha1.ReasonDeleting, After: after,
		Message: fmt.Sprintf("%s of %s is going", what, p.ledger.Config),
	}
}

// letGo deletes leftovers of layouts that kept disks in the supervisor, and takes the finalizer off.
func (p *pass) letGo(ctx context.Context) error {
	if err := p.deleteSupervisorClaims(ctx); err != nil {
		return err
	}
	before := p.machine.DeepCopy()
	controllerutil.RemoveFinalizer(p.machine, vitistackv1alpha1.FinalizerMachine)
	err := p.Patch(ctx, p.machine, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if err := client.IgnoreNotFound(err); err != nil {
		p.machine = before
		return fmt.Errorf("taking the finalizer off: %w", err)
	}
	log.FromContext(ctx).Info("Released machine")
	p.machine = nil
	return errDone
}

func (p *pass) deleteSupervisorClaims(ctx context.Context) error {
	if p.uid() == "" {
		return nil
	}
	claims := &metav1.PartialObjectMetadataList{}
	claims.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaimList"))
	if err := p.live.List(ctx, claims, client.InNamespace(p.machine.Namespace), p.labels()); err != nil {
		return fmt.Errorf("listing claims in the supervisor: %w", err)
	}
	var errs []error
	for i := range claims.Items {
		claim := &claims.Items[i]
		if desired.IsOurs(claim.Labels, p.uid(), p.settings.Desired.SupervisorUID) {
			errs = append(errs, client.IgnoreNotFound(p.Delete(ctx, claim, client.Preconditions{UID: &claim.UID})))
		}
	}
	return errors.Join(errs...)
}
