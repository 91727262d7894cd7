package move

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/relocation"
)

// make makes the VirtualMachine at the target, off, and gives its disks what they are fetched with.
func (j *job) make(ctx context.Context, seen sight) error {
	at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "creating VirtualMachine " + j.record.To.VMName}
	work := provision.Job{
		Machine: j.machine, Ledger: j.record.To, Remote: seen.target.remote, Facts: &j.facts, Options: j.Options,
		Now: j.Clock.Now(),
	}
	if record := provision.RecordedNetwork(j.machine); record != nil {
		work.Network = *record
	}
	if err := j.Targets.Allowed(ctx, j.machine, j.record.To.Config); err != nil {
		return j.orGiveUp(ctx, err)
	}
	claims, err := claimsOf(ctx, seen.source.remote, seen.source.vm)
	if err != nil {
		return err
	}
	classes, err := work.StorageClasses(ctx)
	if err != nil {
		return err
	}
	vm, err := relocation.VirtualMachine(relocation.Input{
		VM: seen.source.vm, Instance: kept(j.record), Claims: claims, StorageClasses: classes, Labels: j.labels(),
		Move: j.record.ID, Nonce: j.record.To.Nonce, Fence: seen.Source.Fence,
		URLs: links(seen.source.export), CA: removal.OfferName(j.record.ID), Header: removal.OfferName(j.record.ID),
	})
	if refusal, ok := errors.AsType[*desired.Refusal](err); ok {
		return j.giveUp(ctx, refusal.Reason, refusal.Message)
	}
	if err != nil {
		return err
	}
	if err := work.Prepare(ctx); err != nil {
		return err
	}
	if err := work.CheckDisks(ctx, vm); err != nil {
		return j.orGiveUp(ctx, err)
	}
	if err := j.newest(ctx); err != nil {
		return err
	}
	err = seen.target.remote.Writer.Create(ctx, vm, side.FieldOwner)
	if err := problem.Remote(err, j.record.To.Config, at); err != nil {
		return j.orGiveUp(ctx, err)
	}
	log.FromContext(ctx).Info("Created VirtualMachine", "kubevirtConfig", j.record.To.Config, "vm", vm.Name)
	return j.complete(ctx, seen, vm)
}

// orGiveUp gives the move up where an error lasts until a person acts. Else it returns the error.
func (j *job) orGiveUp(ctx context.Context, err error) error {
	if p, isProblem := problem.As(err); isProblem && p.Blocked() {
		return j.giveUp(ctx, p.Reason, p.Message)
	}
	return err
}

// complete makes what belongs to the target's VirtualMachine, which is there.
func (j *job) complete(ctx context.Context, seen sight, vm *kubevirtv1.VirtualMachine) error {
	key := client.ObjectKeyFromObject(j.machine)
	if j.memory.isFed(key) {
		return nil
	}
	if err := errors.Join(j.feed(ctx, seen, vm), j.carrySecrets(ctx, seen, vm)); err != nil {
		return err
	}
	j.memory.setFed(key)
	return nil
}

// claimsOf are the PersistentVolumeClaims of a VirtualMachine's disks, by name. One that does not
// exist is left out.
func claimsOf(
	ctx context.Context, remote side.Remote, vm *kubevirtv1.VirtualMachine,
) (map[string]corev1.PersistentVolumeClaim, error) {
	claims := map[string]corev1.PersistentVolumeClaim{}
	for _, name := range provision.DiskNames(vm) {
		claim := corev1.PersistentVolumeClaim{}
		err := remote.Server.Get(ctx, client.ObjectKey{Namespace: vm.Namespace, Name: name}, &claim)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, problem.Remote(err, remote.Config,
				problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "reading PersistentVolumeClaim " + name})
		default:
			claims[name] = claim
		}
	}
	return claims, nil
}

// carrySecrets copies the Secrets with the guest's cloud-init data. The Machine may say something
// else by now, and the guest has booted with these.
func (j *job) carrySecrets(ctx context.Context, seen sight, vm *kubevirtv1.VirtualMachine) error {
	for _, name := range provision.CloudInitSecrets(vm) {
		at := problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "copying Secret " + name}
		secret := &corev1.Secret{}
		err := seen.source.remote.Server.Get(ctx, client.ObjectKey{Namespace: j.record.From.Namespace, Name: name}, secret)
		if apierrors.IsNotFound(err) {
			continue // the guest goes without it, as it did
		}
		if err != nil {
			return problem.Remote(err, j.record.From.Config, at)
		}
		carried := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: vm.Namespace, Name: name, Labels: secret.Labels, OwnerReferences: ownedBy(vm),
			},
			Type: secret.Type, Data: secret.Data,
		}
		err = client.IgnoreAlreadyExists(seen.target.remote.Writer.Create(ctx, carried, side.FieldOwner))
		if err != nil {
			return problem.Remote(err, j.record.To.Config, at)
		}
	}
	return nil
}
