package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"golang.org/x/sync/errgroup"
)

// The namespaces of the two that are compared.
const (
	operatorsNamespace = "latency-operator"
	baresNamespace     = "latency-bare"
)

// compareLatency times how long it takes from a change of a guest until the status of its Machine
// shows it: by the operator, and by a loop that watches guests and patches Machines. Each guest is
// changed once, because the operator gathers changes that follow each other within a second.
func (b *bench) compareLatency(ctx context.Context) error {
	fmt.Fprintf(b.progress, "\n%d guests change, one after the other, for operator and bare loop in turn:\n", b.changes)
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	for _, namespace := range []string{operatorsNamespace, baresNamespace} {
		if err := b.makeGuests(ctx, namespace); err != nil {
			return fmt.Errorf("making guests: %w", err)
		}
	}
	looping, stop := context.WithCancel(ctx)
	var loop errgroup.Group
	defer func() {
		stop()
		_ = loop.Wait() // it ends because it is stopped
	}()
	remote := b.clients.remotes[b.fleet.Remotes[0].Name]
	guests, err := watchIn(looping, remote, &kubevirtv1.VirtualMachineInstanceList{}, baresNamespace)
	if err != nil {
		return err
	}
	loop.Go(func() error { return b.copyNodes(looping, guests) })
	var operator, bare []time.Duration
	for i := range b.changes {
		for namespace, times := range map[string]*[]time.Duration{operatorsNamespace: &operator, baresNamespace: &bare} {
			took, err := b.change(ctx, namespace, i)
			if err != nil {
				return fmt.Errorf("%s/%s: %w", namespace, guestName(i), err)
			}
			*times = append(*times, took)
		}
	}
	slices.Sort(operator)
	slices.Sort(bare)
	p50 := len(bare) / 2
	fmt.Fprintf(b.progress, "  p50 %s, bare loop %s\n", operator[p50], bare[p50])
	b.add("status-latency-p50", 1.5, ratios(operator[p50:p50+1], bare[p50:p50+1]))
	return errors.Join(b.clean(ctx, operatorsNamespace, false), b.clean(ctx, baresNamespace, true))
}

func guestName(i int) string { return fmt.Sprintf("m%03d", i) }

// makeGuests creates Machines with a VirtualMachine and a running guest each. KubeVirt is frozen:
// it neither starts nor stops what is written here.
func (b *bench) makeGuests(ctx context.Context, namespace string) error {
	if err := b.makeNamespaces(ctx, namespace); err != nil {
		return err
	}
	operators, config := namespace == operatorsNamespace, b.fleet.Remotes[0].Name
	for i := range b.changes {
		if err := b.clients.admin.Create(ctx, newMachine(namespace, guestName(i), config, operators)); err != nil {
			return err
		}
		if operators {
			continue
		}
		if err := b.clients.lookers[0].Create(ctx, b.newVM(namespace, guestName(i))); err != nil {
			return err
		}
	}
	for i := range b.changes {
		if err := b.makeGuest(ctx, namespace, guestName(i)); err != nil {
			return err
		}
	}
	return nil
}

// makeGuest gives a VirtualMachine its guest, once it is there.
func (b *bench) makeGuest(ctx context.Context, namespace, machine string) error {
	vm := &kubevirtv1.VirtualMachine{}
	key := client.ObjectKey{Namespace: namespace, Name: "vm-" + machine}
	if err := b.until(ctx, func(ctx context.Context) error { return b.clients.lookers[0].Get(ctx, key, vm) }); err != nil {
		return err
	}
	vmi := &kubevirtv1.VirtualMachineInstance{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: vm.Name, Labels: vm.Spec.Template.ObjectMeta.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(vm, kubevirtv1.VirtualMachineGroupVersionKind)},
		},
		Spec: vm.Spec.Template.Spec,
		Status: kubevirtv1.VirtualMachineInstanceStatus{
			Phase: kubevirtv1.Running, NodeName: "before",
			Conditions: []kubevirtv1.VirtualMachineInstanceCondition{{Type: kubevirtv1.VirtualMachineInstanceReady,
				Status: "True"}},
		},
	}
	if err := b.clients.lookers[0].Create(ctx, vmi); err != nil {
		return err
	}
	if namespace == baresNamespace {
		return nil
	}
	return b.until(ctx, func(ctx context.Context) error {
		seen := &vitistackv1alpha1.Machine{}
		if err := b.clients.admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: machine}, seen); err != nil {
			return err
		}
		if seen.Status.NodeName != "before" {
			return fmt.Errorf("%s shows the node %q", machine, seen.Status.NodeName)
		}
		return nil
	})
}

// change moves a guest to another node and waits until its Machine shows that.
func (b *bench) change(ctx context.Context, namespace string, i int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	machines, err := watchIn(ctx, b.clients.admin, &vitistackv1alpha1.MachineList{}, namespace)
	if err != nil {
		return 0, err
	}
	defer machines.Stop()
	key := client.ObjectKey{Namespace: namespace, Name: "vm-" + guestName(i)}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := b.clients.lookers[0].Get(ctx, key, vmi); err != nil {
		return 0, err
	}
	before := client.MergeFrom(vmi.DeepCopy())
	vmi.Status.NodeName = "after"
	start := time.Now()
	if err := b.clients.lookers[0].Patch(ctx, vmi, before); err != nil {
		return 0, err
	}
	for {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the Machine does not show the change of its guest: %w", ctx.Err())
		case event, open := <-machines.ResultChan():
			if !open {
				return 0, errors.New("a watch ended")
			}
			machine, is := event.Object.(*vitistackv1alpha1.Machine)
			if is && machine.Name == guestName(i) && machine.Status.NodeName == "after" {
				return time.Since(start), nil
			}
		}
	}
}

// copyNodes is the bare loop: it patches the Machine of each guest that changes, and looks at
// nothing.
func (b *bench) copyNodes(ctx context.Context, guests watch.Interface) error {
	defer guests.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-guests.ResultChan():
			if !open {
				return errors.New("a watch ended")
			}
			vmi, is := event.Object.(*kubevirtv1.VirtualMachineInstance)
			if !is || event.Type != watch.Modified {
				continue
			}
			machine := &vitistackv1alpha1.Machine{}
			machine.Namespace, machine.Name = vmi.Namespace, vmi.Name[len("vm-"):]
			before := client.MergeFrom(machine.DeepCopy())
			machine.Status.NodeName = vmi.Status.NodeName
			if err := b.clients.supervisor.Status().Patch(ctx, machine, before); err != nil {
				return err
			}
		}
	}
}
