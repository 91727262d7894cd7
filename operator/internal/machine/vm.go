package machine

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// fieldOwner is the field manager of everything that is written to remote clusters.
const fieldOwner = client.FieldOwner("kubevirt-operator")

// realize makes the VirtualMachine what the Machine asks for: it is created if it is proven absent, and changed if the Machine changed.
func (p *pass) realize(ctx context.Context) error {
	if err := p.readClass(ctx); err != nil {
		return err
	}
	wish, err := desired.NewWish(p.desiredInput(nil))
	if err != nil {
		return err
	}
	if p.vm == nil {
		return p.create(ctx, wish)
	}
	if !p.vm.DeletionTimestamp.IsZero() {
		return nil // observe says so, and the end of it is an event
	}
	p.cached = p.cached && p.ledger.VMUID == string(p.vm.UID) && p.labelled() && p.vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish] == wish.String()
	if p.ledger.VMUID != string(p.vm.UID) {
		if err := p.complete(ctx); err != nil {
			return err
		}
	}
	if !p.labelled() {
		return p.claim(ctx, wish)
	}
	if p.vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish] != wish.String() {
		return p.change(ctx, wish)
	}
	return p.freeISO(ctx)
}

// readClass reads the MachineClass that the Machine asks for, if there is one, else the default one. A VirtualMachine keeps the default that
// it was made with, also where that is no more: another one is no wish of the Machine's.
func (p *pass) readClass(ctx context.Context) error {
	name, err := desired.ClassName(p.machine)
	if err != nil {
		return err
	}
	var last desired.Wish
	if name == "" && p.vm != nil {
		last, _ = desired.ParseWish(p.vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish]) // unreadable: none
		if name = last.Class; name == "" {
			return nil
		}
		p.class = last.AsClass()
	}
	if name == "" {
		classes := &vitistackv1alpha1.MachineClassList{}
		if err := p.List(ctx, classes); err != nil {
			return fmt.Errorf("listing MachineClasses: %w", err)
		}
		p.class = desired.DefaultClass(classes.Items, p.settings.Desired)
		return nil
	}
	class := &vitistackv1alpha1.MachineClass{}
	switch err := p.Get(ctx, client.ObjectKey{Name: name}, class); {
	case err == nil && (last.Class == "" || class.IsEnabled()):
		p.class, p.classRead = class, name
		p.read.add(class.ResourceVersion)
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading MachineClass %s: %w", name, err)
	}
	return nil
}

// create creates the VirtualMachine, which find has proven to be absent.
func (p *pass) create(ctx context.Context, wish desired.Wish) error {
	if gone := p.ledger.VMUID; gone != "" && p.machine.Annotations[vitistackv1alpha1.AnnotationRecreate] != gone {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonVanished,
			Message: fmt.Sprintf("VirtualMachine %s of %s is gone; annotation %s with the value %s makes a new and empty one",
				p.ledger.VMName, p.ledger.Config, vitistackv1alpha1.AnnotationRecreate, gone),
		}
	}
	init, err := p.cloudInit(ctx)
	if err != nil {
		return err
	}
	wanted := p.desiredInput(init)
	if wanted.StorageClasses, err = p.storageClasses(ctx); err != nil {
		return err
	}
	vm, err := desired.VirtualMachine(wanted)
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
	vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish] = wish.String()
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
	p.vm, p.created = vm, true
	log.FromContext(ctx).Info("Created VirtualMachine", "kubevirtConfig", p.ledger.Config, "vm", vm.Name)
	if err := p.createSecret(ctx, init); err != nil {
		return err
	}
	p.seen.made.put(string(p.uid()), vm, p.now)
	return nil
}

// complete does what is left of a creation: the ledger gets the VirtualMachine's UID last. The pass that creates leaves that to the next one, which
// comes at once but after the Machines that wait already: where there are many of them all guests boot before the books are kept.
func (p *pass) complete(ctx context.Context) error {
	if made, known := p.seen.made.get(string(p.uid()), p.now); !known || made.UID != p.vm.UID {
		init, err := p.cloudInit(ctx)
		if err != nil {
			return err
		}
		if err := p.createSecret(ctx, init); err != nil {
			return err
		}
	}
	if err := p.recordVM(ctx); err != nil {
		return err
	}
	p.event(eventNormal, "Created", "Create", fmt.Sprintf("created VirtualMachine %s in %s", p.vm.Name, p.ledger.Config))
	return nil
}

// cloudInit is what the guest gets at its first boot.
func (p *pass) cloudInit(ctx context.Context) (*desired.CloudInit, error) {
	sources, err := p.readSources(ctx)
	if err != nil {
		return nil, err
	}
	return desired.NewCloudInit(desired.CloudInitInput{
		Machine: p.machine, VMName: p.ledger.VMName, Sources: sources, Attachments: p.attachments,
		NetworkConfiguration: p.networkConfiguration, Options: p.settings.Desired,
	})
}

func (p *pass) desiredInput(init *desired.CloudInit) desired.Input {
	return desired.Input{
		Machine: p.machine, Ledger: *p.ledger, Class: p.class, Attachments: p.attachments,
		NetworkConfiguration: p.networkConfiguration, CloudInit: init, Options: p.settings.Desired,
	}
}
