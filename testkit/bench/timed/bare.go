package timed

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"golang.org/x/sync/errgroup"
)

// sample is what the operator made for a first Machine. The bare loop makes the same for each.
type sample struct {
	machine       vitistackv1alpha1.Machine
	configuration vitistackv1alpha1.NetworkConfiguration
	vm            kubevirtv1.VirtualMachine
}

// bareLoop watches the Machines of a namespace and makes, for each, the calls that cannot be left
// out: a patch that records the place, a NetworkConfiguration, a VirtualMachine, a status. It looks
// at nothing, and would make second virtual machines.
func (b *Bench) bareLoop(ctx context.Context, namespace string) (run func() error, err error) {
	machines, err := stage.WatchIn(ctx, b.Supervisor, &vitistackv1alpha1.MachineList{}, namespace)
	if err != nil {
		return nil, fmt.Errorf("watching Machines: %w", err)
	}
	return func() error { return b.makeAll(ctx, machines) }, nil
}

func (b *Bench) makeAll(ctx context.Context, machines watch.Interface) error {
	defer machines.Stop()
	queue := make(chan *vitistackv1alpha1.Machine, b.Machines)
	making, ctx := errgroup.WithContext(ctx)
	for range stage.Workers {
		making.Go(func() error {
			for machine := range queue {
				if err := b.make(ctx, machine); err != nil {
					return err
				}
			}
			return nil
		})
	}
	making.Go(func() error {
		defer close(queue)
		return each(ctx, machines, b.Machines, func(object client.Object) { queue <- object.(*vitistackv1alpha1.Machine) })
	})
	return making.Wait()
}

// make makes the calls for one Machine.
func (b *Bench) make(ctx context.Context, machine *vitistackv1alpha1.Machine) error {
	config := machine.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]
	place := client.MergeFromWithOptions(machine.DeepCopy(), client.MergeFromWithOptimisticLock{})
	record := b.sample.machine.Annotations[vitistackv1alpha1.AnnotationPlacement]
	machine.Annotations[vitistackv1alpha1.AnnotationPlacement] = record
	if err := b.Supervisor.Patch(ctx, machine, place); err != nil {
		return fmt.Errorf("recording the place of %s: %w", machine.Name, err)
	}
	configuration := b.sample.configuration.DeepCopy()
	configuration.ObjectMeta = metav1.ObjectMeta{
		Namespace: machine.Namespace, Name: machine.Name, Labels: configuration.Labels,
	}
	if err := b.Supervisor.Create(ctx, configuration); err != nil {
		return fmt.Errorf("NetworkConfiguration of %s: %w", machine.Name, err)
	}
	vm := b.newVM(machine.Namespace, machine.Name)
	if err := b.Remotes[config].Create(ctx, vm); err != nil {
		return fmt.Errorf("VirtualMachine of %s: %w", machine.Name, err)
	}
	status := client.MergeFrom(machine.DeepCopy())
	b.sample.machine.Status.DeepCopyInto(&machine.Status)
	if err := b.Supervisor.Status().Patch(ctx, machine, status); err != nil {
		return fmt.Errorf("status of %s: %w", machine.Name, err)
	}
	return nil
}

// newVM returns what the operator would make for a Machine. No disk is made of it: it is halted.
func (b *Bench) newVM(namespace, machine string) *kubevirtv1.VirtualMachine {
	vm := b.sample.vm.DeepCopy()
	vm.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: "vm-" + machine, Annotations: vm.Annotations}
	vm.Spec.DataVolumeTemplates[0].Name = vm.Name
	return vm
}

// learn lets the operator make a first Machine, and keeps what it made.
func (b *Bench) learn(ctx context.Context) error {
	const namespace = "learn"
	if err := b.MakeNamespaces(ctx, namespace); err != nil {
		return err
	}
	config := b.Fleet.Remotes[0].Name
	machine := stage.NewMachine(namespace, "first", config)
	if err := b.Admin.Create(ctx, machine); err != nil {
		return err
	}
	key := types.NamespacedName{Namespace: namespace, Name: "first"}
	return b.Until(ctx, func(ctx context.Context) error {
		if err := b.Admin.Get(ctx, key, &b.sample.machine); err != nil {
			return err
		}
		if phase := b.sample.machine.Status.Phase; phase != vitistackv1alpha1.MachinePhaseStopped {
			return fmt.Errorf("it is %q", phase)
		}
		if err := b.Admin.Get(ctx, key, &b.sample.configuration); err != nil {
			return err
		}
		key := types.NamespacedName{Namespace: namespace, Name: b.sample.machine.Status.VMName}
		return b.Lookers[0].Get(ctx, key, &b.sample.vm)
	})
}
