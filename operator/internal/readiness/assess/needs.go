package assess

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Needs says what a Machine needs. Where its virtual machine can be read, that and its claims count;
// else what the operator would make.
func (a *Assessor) Needs(ctx context.Context, machine *vitistackv1alpha1.Machine) (readiness.Needs, error) {
	in := readiness.Input{Machine: machine, Options: a.options.Desired}
	var err error
	if in.Network, err = a.network(ctx, machine); err != nil {
		return readiness.Needs{}, fmt.Errorf("the networks of the Machine: %w", err)
	}
	if ledger, err := vitistackv1alpha1.LedgerOf(machine); err == nil {
		in.VM, in.Claims = a.existing(ctx, ledger)
	}
	if in.VM == nil {
		if in.VM, err = a.wanted(ctx, machine, in.Network); err != nil {
			err = problem.Pure(err, vitistackv1alpha1.ConditionVirtualMachineReady)
			return readiness.Needs{}, fmt.Errorf("the Machine cannot become a virtual machine: %w", err)
		}
	}
	needs, err := readiness.NeedsOf(in)
	secret := readiness.Right{Verb: "create", Resource: "secrets", Namespace: in.VM.Namespace}
	if machine.Spec.CloudInit != nil && !slices.Contains(needs.Rights, secret) {
		needs.Rights = append(needs.Rights, secret) // the volume is not made here: its text is no need
	}
	return needs, err
}

// network is the record of the Machine's attachments, or the one that would be made.
func (a *Assessor) network(
	ctx context.Context, machine *vitistackv1alpha1.Machine,
) (vitistackv1alpha1.NetworkRecord, error) {
	question := provision.Question{Machine: machine, Options: a.options.Desired}
	if text, written := machine.Annotations[vitistackv1alpha1.AnnotationPlacementNetwork]; written {
		if record, err := vitistackv1alpha1.ParseNetworkRecord(text); err == nil {
			question.Recorded = &record
		}
	}
	return provision.Decide(ctx, a.options.Supervisor, question)
}

// existing reads the virtual machine of a record and its claims, past the cache, which has them only
// in part. It returns nil where they cannot be read: then the Machine's own words count.
func (a *Assessor) existing(
	ctx context.Context, ledger vitistackv1alpha1.Ledger,
) (*kubevirtv1.VirtualMachine, []corev1.PersistentVolumeClaim) {
	live, err := a.clusters.Live(ledger.Config)
	if err != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, survey.Timeout)
	defer cancel()
	vm := &kubevirtv1.VirtualMachine{}
	key := client.ObjectKey{Namespace: ledger.Namespace, Name: ledger.VMName}
	if live.Get(ctx, key, vm) != nil || ledger.VMUID != "" && string(vm.UID) != ledger.VMUID || vm.Spec.Template == nil {
		return nil, nil
	}
	var claims []corev1.PersistentVolumeClaim
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		claim := corev1.PersistentVolumeClaim{}
		name := desired.ClaimName(vm, volume.Name)
		if name != "" && live.Get(ctx, client.ObjectKey{Namespace: vm.Namespace, Name: name}, &claim) == nil {
			claims = append(claims, claim)
		}
	}
	return vm, claims
}

// wanted is the virtual machine that the operator would make, without cloud-init.
func (a *Assessor) wanted(
	ctx context.Context, machine *vitistackv1alpha1.Machine, network vitistackv1alpha1.NetworkRecord,
) (*kubevirtv1.VirtualMachine, error) {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		ledger = vitistackv1alpha1.Ledger{Namespace: machine.Namespace}
		if ledger.VMName, err = desired.VMName(a.options.VMNamePrefix, machine.Name); err != nil {
			return nil, err
		}
	}
	class, err := provision.Class(ctx, a.options.Supervisor, machine, nil, a.options.Desired)
	if err != nil {
		return nil, err
	}
	// No type of a disk is taken for a storage class: whether it is one differs by cluster.
	return desired.VirtualMachine(desired.Input{
		Machine: machine, Ledger: ledger, Class: class, Network: network,
		StorageClasses: desired.StorageClasses{Listed: true}, Options: a.options.Desired,
	})
}
