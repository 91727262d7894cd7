package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"golang.org/x/sync/errgroup"
)

const (
	// patience is for one round, and for its end.
	patience     = 3 * time.Minute
	pollInterval = 50 * time.Millisecond
)

// maker begins to watch the Machines of a namespace, and returns what makes all that they ask for.
type maker func(ctx context.Context, namespace string) (run func() error, err error)

// round is one measurement.
type round struct {
	clusters int            // that get Machines, in turn
	awaited  int            // of them, whose virtual machines are waited for
	maker    maker          // nil is the operator
	heal     *fleet.Cluster // whose fault ends with the measurement; nil for none
}

// round creates Machines, and returns the time until the virtual machines of the awaited clusters exist. It leaves nothing behind.
func (b *bench) round(ctx context.Context, r round) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	b.rounds++
	namespace := fmt.Sprintf("round-%d", b.rounds)
	if err := b.makeNamespaces(ctx, namespace); err != nil {
		return 0, err
	}
	working, ctx := errgroup.WithContext(ctx)
	if r.maker != nil {
		making, err := r.maker(ctx, namespace)
		if err != nil {
			return 0, err
		}
		working.Go(making)
	}
	share := b.machines / involved
	began := make(chan time.Time, 1)
	seen := make([]time.Time, r.awaited)
	for i := range r.awaited {
		vms, err := watchIn(ctx, b.clients.lookers[i], &kubevirtv1.VirtualMachineList{}, namespace)
		if err != nil {
			return 0, fmt.Errorf("watching VirtualMachines: %w", err)
		}
		working.Go(func() error {
			defer vms.Stop()
			err := each(ctx, vms, share, func(client.Object) {})
			seen[i] = time.Now()
			return err
		})
	}
	working.Go(func() error {
		began <- time.Now()
		return b.createMachines(ctx, namespace, share*r.clusters, r)
	})
	if err := working.Wait(); err != nil {
		return 0, fmt.Errorf("%s: %w", namespace, err)
	}
	start := <-began
	for _, at := range seen {
		took = max(took, at.Sub(start))
	}
	if r.heal != nil {
		err = r.heal.SetFault(faults.Fault{Kind: faults.Pass})
	}
	return took, errors.Join(err, b.clean(context.WithoutCancel(ctx), namespace, r))
}

// each waits for a number of objects that are added.
func each(ctx context.Context, events watch.Interface, count int, do func(client.Object)) error {
	for count > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-events.ResultChan():
			switch {
			case !open:
				return errors.New("a watch ended")
			case event.Type == watch.Added:
				do(event.Object.(client.Object))
				count--
			}
		}
	}
	return nil
}

// createMachines creates Machines for the clusters in turn, side by side.
func (b *bench) createMachines(ctx context.Context, namespace string, count int, r round) error {
	creating, ctx := errgroup.WithContext(ctx)
	for worker := range workers {
		creating.Go(func() error {
			for i := worker; i < count; i += workers {
				machine := newMachine(namespace, fmt.Sprintf("m%03d", i), b.fleet.Remotes[i%r.clusters].Name, r.maker == nil)
				if err := b.clients.admin.Create(ctx, machine); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return creating.Wait()
}

// newMachine is halted: guests that boot would take the processor from those who are compared.
func newMachine(namespace, name, config string, operators bool) *vitistackv1alpha1.Machine {
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: config},
		},
		Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small", RunStrategy: vitistackv1alpha1.RunStrategyHalted},
	}
	if !operators {
		machine.Spec.Provider = notOperators
	}
	return machine
}

// makeNamespaces makes a namespace everywhere before the time begins.
func (b *bench) makeNamespaces(ctx context.Context, name string) error {
	for _, c := range append([]client.WithWatch{b.clients.admin}, b.clients.lookers...) {
		if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return fmt.Errorf("namespace %s: %w", name, err)
		}
	}
	return nil
}

// clean deletes what a round made and waits until it is gone. What the operator made it deletes itself.
func (b *bench) clean(ctx context.Context, namespace string, r round) error {
	in := client.InNamespace(namespace)
	err := b.clients.admin.DeleteAllOf(ctx, &vitistackv1alpha1.Machine{}, in)
	if r.maker != nil {
		err = errors.Join(err, b.clients.admin.DeleteAllOf(ctx, &vitistackv1alpha1.NetworkConfiguration{}, in))
		for _, c := range b.clients.lookers {
			err = errors.Join(err, c.DeleteAllOf(ctx, &kubevirtv1.VirtualMachine{}, in))
		}
	}
	if err != nil {
		return fmt.Errorf("cleaning %s: %w", namespace, err)
	}
	return b.until(ctx, func(ctx context.Context) error {
		left := &vitistackv1alpha1.MachineList{}
		if err := b.clients.admin.List(ctx, left, in); err != nil {
			return err
		}
		vms := 0
		for _, c := range b.clients.lookers {
			list := &kubevirtv1.VirtualMachineList{}
			if err := c.List(ctx, list, in); err != nil {
				return err
			}
			vms += len(list.Items)
		}
		if vms+len(left.Items) > 0 {
			return fmt.Errorf("%d Machines and %d virtual machines of %s are left", len(left.Items), vms, namespace)
		}
		return nil
	})
}

// until waits until there is no error any more.
func (b *bench) until(ctx context.Context, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}
