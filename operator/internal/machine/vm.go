package machine

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

// fieldOwner is the field manager of everything that is written to remote clusters.
const fieldOwner = client.FieldOwner("kubevirt-operator")

// realize makes the VirtualMachine what the Machine asks for: it is created if it is proven absent, and changed if the Machine changed.
func (p *pass) realize(ctx context.Context) error {
	if err := p.readClass(ctx); err != nil {
		return err
	}
	wish, err := p.wish()
	if err != nil {
		return err
	}
	if p.vm == nil {
		return p.create(ctx, wish)
	}
	if !p.vm.DeletionTimestamp.IsZero() {
		return nil // observe says so, and the end of it is an event
	}
	if p.ledger.VMUID != string(p.vm.UID) {
		if err := p.complete(ctx); err != nil {
			return err
		}
	}
	if !p.labelled() {
		return p.claim(ctx, wish)
	}
	if p.vm.Annotations[vitistackv1alpha1.AnnotationAppliedHash] != wish {
		return p.change(ctx, wish)
	}
	return nil
}

// readClass reads the MachineClass that the Machine asks for, if there is one.
func (p *pass) readClass(ctx context.Context) error {
	name, err := desired.ClassName(p.machine)
	if err != nil || name == "" {
		return err
	}
	class := &vitistackv1alpha1.MachineClass{}
	switch err := p.Get(ctx, client.ObjectKey{Name: name}, class); {
	case err == nil:
		p.class = class
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("reading MachineClass %s: %w", name, err)
	}
	return nil
}

// wish is a hash of everything in the supervisor that a VirtualMachine depends on. Texts in Secrets and ConfigMaps have no part in it:
// they are read when the Machine changes.
func (p *pass) wish() (string, error) {
	wanted := struct {
		Spec        vitistackv1alpha1.MachineSpec
		Annotations [2]string
		Class       *vitistackv1alpha1.MachineClassSpec
	}{
		Spec: p.machine.Spec,
		Annotations: [2]string{
			p.machine.Annotations[vitistackv1alpha1.AnnotationBootSource], p.machine.Annotations[vitistackv1alpha1.AnnotationBootSourceType],
		},
	}
	wanted.Spec.KubevirtConfigRef = nil // where it runs is no property of it
	if p.class != nil {
		wanted.Class = &p.class.Spec
	}
	return desired.Hash(wanted)
}

// create creates the VirtualMachine, which find has proven to be absent.
func (p *pass) create(ctx context.Context, wish string) error {
	if gone := p.ledger.VMUID; gone != "" && p.machine.Annotations[vitistackv1alpha1.AnnotationRecreate] != gone {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonVanished,
			Message: fmt.Sprintf("VirtualMachine %s of %s is gone; annotation %s with the value %s makes a new and empty one",
				p.ledger.VMName, p.ledger.Config, vitistackv1alpha1.AnnotationRecreate, gone),
		}
	}
	vm, init, err := p.desiredVM(ctx)
	if err != nil {
		return err
	}
	if err := p.prepare(ctx, vm); err != nil {
		return err
	}
	if err := p.intend(ctx); err != nil {
		return err
	}
	vm.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] = p.ledger.Nonce
	vm.Annotations[vitistackv1alpha1.AnnotationAppliedHash] = wish
	if vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish], err = p.setOnce(); err != nil {
		return err
	}
	err = p.remote.Create(ctx, vm, fieldOwner)
	switch {
	case apierrors.IsAlreadyExists(err): // somebody was faster: the next pass sees whose it is
		return &Wait{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonCreating, After: conflictRetry,
			Message: fmt.Sprintf("VirtualMachine %s of %s was created meanwhile", vm.Name, p.ledger.Config),
		}
	case err != nil:
		return p.refused(err, "VirtualMachine "+vm.Name)
	}
	p.vm = vm
	log.FromContext(ctx).Info("Created VirtualMachine", "kubevirtConfig", p.ledger.Config, "vm", vm.Name)
	p.event(eventNormal, "Created", "Create", fmt.Sprintf("created VirtualMachine %s in %s", vm.Name, p.ledger.Config))
	if err := p.createSecret(ctx, init); err != nil {
		return err
	}
	if err := p.recordVM(ctx); client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
		return err
	}
	return nil
}

// complete does what is left of a creation that did not come to its end: the ledger gets the VirtualMachine's UID last.
func (p *pass) complete(ctx context.Context) error {
	init, err := p.cloudInit(ctx)
	if err != nil {
		return err
	}
	if err := p.createSecret(ctx, init); err != nil {
		return err
	}
	return p.recordVM(ctx)
}

// cloudInit is what the guest gets at its first boot.
func (p *pass) cloudInit(ctx context.Context) (*desired.CloudInit, error) {
	sources, err := p.readSources(ctx)
	if err != nil {
		return nil, err
	}
	return desired.NewCloudInit(desired.CloudInitInput{
		Machine: p.machine, VMName: p.ledger.VMName, Sources: sources, Network: p.network,
		NetworkConfiguration: p.networkConfiguration, Options: p.settings.Desired,
	})
}

// desiredVM is the VirtualMachine to create, and its cloud-init.
func (p *pass) desiredVM(ctx context.Context) (*kubevirtv1.VirtualMachine, *desired.CloudInit, error) {
	init, err := p.cloudInit(ctx)
	if err != nil {
		return nil, nil, err
	}
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: p.machine, Ledger: *p.ledger, Class: p.class, Network: p.network,
		NetworkConfiguration: p.networkConfiguration, CloudInit: init, Options: p.settings.Desired,
	})
	return vm, init, err
}
