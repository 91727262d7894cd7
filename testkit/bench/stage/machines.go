package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"golang.org/x/sync/errgroup"
)

const (
	// Workers make calls side by side, in the operator as in what it is compared with.
	Workers = 16
	// slowClean is how long cleaning may take without a word.
	slowClean = 20 * time.Second
)

// NewMachine returns a Machine that is halted: guests that boot would take the processor from those
// who are compared. A config of "" is no reference.
func NewMachine(namespace, name, config string) *vitistackv1alpha1.Machine {
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: vitistackv1alpha1.MachineSpec{
			InstanceType: "small", RunStrategy: vitistackv1alpha1.RunStrategyHalted,
		},
	}
	if config != "" {
		machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: config}
	}
	return machine
}

// NewRunning returns a Machine whose guest is to run.
func NewRunning(namespace, name, config string) *vitistackv1alpha1.Machine {
	machine := NewMachine(namespace, name, config)
	machine.Spec.RunStrategy = vitistackv1alpha1.RunStrategyAlways
	return machine
}

// MakeNamespaces makes a namespace everywhere before a measurement begins.
func (s *Stage) MakeNamespaces(ctx context.Context, name string) error {
	for _, c := range append([]client.WithWatch{s.Admin}, s.Lookers...) {
		if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return fmt.Errorf("namespace %s: %w", name, err)
		}
	}
	return nil
}

// SideBySide does something count times by Workers, and stops at the first error.
func SideBySide(ctx context.Context, count int, do func(ctx context.Context, i int) error) error {
	working, ctx := errgroup.WithContext(ctx)
	for worker := range Workers {
		working.Go(func() error {
			for i := worker; i < count; i += Workers {
				if err := do(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return working.Wait()
}

// UntilPhase waits until all Machines of a namespace, so many, are in a phase.
func (s *Stage) UntilPhase(
	ctx context.Context, namespace string, count int, phase vitistackv1alpha1.MachinePhase,
) error {
	return s.UntilWithin(ctx, 2*Patience, func(ctx context.Context) error {
		machines := &vitistackv1alpha1.MachineList{}
		if err := s.Admin.List(ctx, machines, client.InNamespace(namespace)); err != nil {
			return err
		}
		there := 0
		var other *vitistackv1alpha1.Machine
		for i := range machines.Items {
			if machines.Items[i].Status.Phase == phase {
				there++
			} else {
				other = &machines.Items[i]
			}
		}
		if there < count {
			return fmt.Errorf("%d of %d Machines of %s are %s%s", there, count, namespace, phase, sayOther(other))
		}
		return nil
	})
}

func sayOther(machine *vitistackv1alpha1.Machine) string {
	if machine == nil {
		return ""
	}
	return fmt.Sprintf("; %s is %q: %s", machine.Name, machine.Status.Phase, machine.Status.Message)
}

// Clean deletes what a measurement made and waits until it is gone. What the operator made it
// deletes itself; what a bare loop made is deleted here.
func (s *Stage) Clean(ctx context.Context, namespace string, bare bool) error {
	in := client.InNamespace(namespace)
	err := s.Admin.DeleteAllOf(ctx, &vitistackv1alpha1.Machine{}, in)
	for _, c := range s.Lookers {
		err = errors.Join(err, c.DeleteAllOf(ctx, &kubevirtv1.VirtualMachineInstance{}, in))
	}
	if bare {
		err = errors.Join(err, s.Admin.DeleteAllOf(ctx, &vitistackv1alpha1.NetworkConfiguration{}, in))
		for _, c := range s.Lookers {
			err = errors.Join(err, c.DeleteAllOf(ctx, &kubevirtv1.VirtualMachine{}, in))
		}
	}
	if err != nil {
		return fmt.Errorf("cleaning %s: %w", namespace, err)
	}
	start := time.Now()
	err = s.Until(ctx, func(ctx context.Context) error { return s.left(ctx, namespace) })
	if took := time.Since(start); took > slowClean {
		s.Say("  cleaning %s took %s", namespace, took.Round(time.Second))
	}
	return err
}

// left returns an error while anything of a namespace is left, which says what the first Machine
// waits for. It asks for one object of a kind and the number of the others: whole lists, twenty
// times a second, would take the processors from the operator that cleans.
func (s *Stage) left(ctx context.Context, namespace string) error {
	one := []client.ListOption{client.InNamespace(namespace), client.Limit(1)}
	machines := &vitistackv1alpha1.MachineList{}
	if err := s.Admin.List(ctx, machines, one...); err != nil {
		return err
	}
	vms := 0
	for _, c := range s.Lookers {
		list := &kubevirtv1.VirtualMachineList{}
		if err := c.List(ctx, list, one...); err != nil {
			return err
		}
		vms += len(list.Items) + int(ptr.Deref(list.RemainingItemCount, 0))
	}
	switch {
	case len(machines.Items) > 0:
		first, others := machines.Items[0], ptr.Deref(machines.RemainingItemCount, 0)
		return fmt.Errorf(
			"%s/%s in %s, %d other Machines and %d virtual machines are left: it is %s, %q, its finalizers are %v",
			namespace, first.Name, first.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig], others, vms,
			first.Status.Phase, first.Status.Message, first.Finalizers)
	case vms > 0:
		return fmt.Errorf("%d virtual machines of %s are left", vms, namespace)
	default:
		return nil
	}
}
