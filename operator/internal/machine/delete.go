package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	// leftoverRetry is when something is looked for again that no event tells of: claims are not watched.
	leftoverRetry = 2 * time.Second
	// goneRetry is when a VirtualMachine is looked for again whose end is an event, should that get lost.
	goneRetry = 30 * time.Second
)

// connectToDelete gets the remote cluster. A Machine that was never placed has nothing there; one that a person released is let go where the
// cluster gives no answer.
func (p *pass) connectToDelete(ctx context.Context) error {
	if !controllerutil.ContainsFinalizer(p.machine, vitistackv1alpha1.FinalizerMachine) {
		return errDone
	}
	err := p.findLedger(ctx)
	if err == nil && p.ledger == nil {
		return nil
	}
	if err == nil {
		err = p.connect(ctx)
	}
	return p.orAbandon(ctx, err)
}

// findLedger: finalizer and ledger are written together, so that a Machine with the one alone has lost the other.
func (p *pass) findLedger(ctx context.Context) error {
	switch {
	case p.ledger != nil:
		return nil
	case p.machine.Status.KubevirtConfigRef != nil:
		return p.restore(ctx)
	}
	name, err := desired.VMName(p.settings.VMNamePrefix, p.machine.Name)
	if err != nil {
		return err
	}
	configs, err := p.configs(ctx)
	if err != nil {
		return err
	}
	seen := p.look(ctx, name, configNames(configs))
	mine, where := seen.which(func(_ string, found sighting) bool { return found.owner == ours })
	switch silent := seen.unanswered(); {
	case len(mine) == 1:
		return p.settleIn(ctx, name, choice{config: where[0], vm: &mine[0]})
	case len(mine) > 1:
		return p.refuse(vitistackv1alpha1.ReasonDuplicateVM, "there is more than one VirtualMachine of this Machine: in %s", strings.Join(where, ", "))
	case len(silent) > 0:
		return p.waitFor(silent)
	default:
		return nil // never placed
	}
}

// orAbandon gives up what the Machine has in a cluster that gives no answer, or leaves it for later, if a person consents. err is why
// there is no answer, or nil.
func (p *pass) orAbandon(ctx context.Context, err error) error {
	ledger := p.lastPlace()
	if ledger == nil || !isVerdict(err) {
		return err
	}
	note := "abandoned what is left in " + ledger.Config
	switch p.machine.Annotations[vitistackv1alpha1.AnnotationForceRelease] {
	case ledger.Config:
	case ledger.Config + vitistackv1alpha1.ForceReleaseDeleteLater:
		if err := p.owe(ctx, *ledger); err != nil {
			return err
		}
		note = "let the Machine go; what is left in " + ledger.Config + " is deleted when it answers again"
	default:
		return err
	}
	p.remote = nil
	p.event(eventWarning, "Released", "Delete", note)
	return nil
}

// lastPlace is the ledger, or what the status still has of a lost one; nil where neither tells a place.
func (p *pass) lastPlace() *vitistackv1alpha1.Ledger {
	copied := p.machine.Status.KubevirtConfigRef
	if p.ledger != nil || copied == nil {
		return p.ledger
	}
	return &vitistackv1alpha1.Ledger{
		Config: copied.Name, ClusterUID: copied.ClusterUID, Namespace: p.machine.Namespace, VMName: p.machine.Status.VMName, Nonce: newNonce(),
	}
}

// isVerdict says that an error is the answer that there is none, and not one that comes too early or a slip of our own.
func isVerdict(err error) bool {
	if wait, ok := errors.AsType[*Wait](err); ok {
		return wait.Reason != vitistackv1alpha1.ReasonConnecting && wait.Reason != vitistackv1alpha1.ReasonNotSynced
	}
	_, blocked := errors.AsType[*Blocked](err)
	return blocked
}

// deleteVM deletes the VirtualMachine by its UID, and waits until it is gone with its disks.
func (p *pass) deleteVM(ctx context.Context) error {
	if p.ledger == nil || p.remote == nil {
		return nil
	}
	found, err := p.lookIn(ctx, p.ledger.Config, p.ledger.VMName)
	if err != nil {
		return p.orAbandon(ctx, p.unreachable(err))
	}
	if slices.ContainsFunc(found, func(s sighting) bool { return s.owner == former || s.owner == inherited }) {
		return nil // it was not taken over, or not wholly: neither it nor a disk of its goes
	}
	found = slices.DeleteFunc(found, func(s sighting) bool { return s.owner != ours })
	if p.owed && p.ledger.VMUID != "" {
		if slices.ContainsFunc(found, func(s sighting) bool { return string(s.vm.UID) != p.ledger.VMUID }) {
			return nil // somebody made it anew, with its disks: nobody owes that
		}
	}
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
		after := goneRetry
		if p.owed || !p.labelled() {
			after = leftoverRetry
		}
		return p.waitGone("VirtualMachine "+found[0].vm.Name, after)
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
	claims := metadataOf(claimKind)
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

// listDataVolumes lists the Machine's.
func (p *pass) listDataVolumes(ctx context.Context, reader client.Reader) (*cdiv1beta1.DataVolumeList, error) {
	volumes := &cdiv1beta1.DataVolumeList{}
	return volumes, reader.List(ctx, volumes, client.InNamespace(p.machine.Namespace), p.labels())
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
	claims := metadataOf(claimKind)
	if err := p.live.List(ctx, claims, client.InNamespace(p.machine.Namespace), p.labels()); err != nil {
		return fmt.Errorf("listing claims in the supervisor: %w", err)
	}
	var errs []error
	for i := range claims.Items {
		claim := &claims.Items[i]
		if desired.IsOurs(claim.Labels, p.uid(), p.settings.Desired.SupervisorUID) {
			errs = append(errs, client.IgnoreNotFound(p.Delete(ctx, claim, client.Preconditions{UID: &claim.UID}, uncached)))
		}
	}
	return errors.Join(errs...)
}
