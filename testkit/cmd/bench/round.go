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
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"golang.org/x/sync/errgroup"
)

const (
	// patience is for one round, and for its end.
	patience     = 3 * time.Minute
	pollInterval = 50 * time.Millisecond
	// slowClean is how long the cleaning of a round may take without a word.
	slowClean = 20 * time.Second
)

// maker begins to watch the Machines of a namespace, and returns what makes all that they ask for.
type maker func(ctx context.Context, namespace string) (run func() error, err error)

// round is one measurement.
type round struct {
	clusters int     // that get Machines, in turn
	awaited  int     // of them, whose virtual machines are waited for
	maker    maker   // nil is the operator
	trouble  trouble // of the last cluster; it ends with the measurement
}

// round creates Machines, and returns the time until the virtual machines of the awaited clusters
// exist. It leaves nothing behind.
func (b *bench) round(ctx context.Context, r round) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	b.rounds++
	namespace := fmt.Sprintf("round-%d", b.rounds)
	if err := b.makeNamespaces(ctx, namespace); err != nil {
		return 0, err
	}
	if err := r.trouble.begin(ctx); err != nil {
		return 0, fmt.Errorf("%s: beginning the trouble: %w", namespace, err)
	}
	whole := ctx // the group's own ends with its last member
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
	if err := r.trouble.end(whole); err != nil {
		return 0, fmt.Errorf("%s: ending the trouble: %w", namespace, err)
	}
	return took, b.clean(whole, namespace, r.maker != nil)
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

// clean deletes what a round made and waits until it is gone. What the operator made it deletes
// itself; what the bare loop made is deleted here.
func (b *bench) clean(ctx context.Context, namespace string, bare bool) error {
	in := client.InNamespace(namespace)
	err := b.clients.admin.DeleteAllOf(ctx, &vitistackv1alpha1.Machine{}, in)
	for _, c := range b.clients.lookers {
		err = errors.Join(err, c.DeleteAllOf(ctx, &kubevirtv1.VirtualMachineInstance{}, in))
	}
	if bare {
		err = errors.Join(err, b.clients.admin.DeleteAllOf(ctx, &vitistackv1alpha1.NetworkConfiguration{}, in))
		for _, c := range b.clients.lookers {
			err = errors.Join(err, c.DeleteAllOf(ctx, &kubevirtv1.VirtualMachine{}, in))
		}
	}
	if err != nil {
		return fmt.Errorf("cleaning %s: %w", namespace, err)
	}
	start := time.Now()
	err = b.until(ctx, func(ctx context.Context) error { return b.left(ctx, namespace) })
	if took := time.Since(start); took > slowClean {
		fmt.Fprintf(b.progress, "  cleaning %s took %s\n", namespace, took.Round(time.Second))
	}
	return err
}

// left returns an error while anything of a namespace is left, which says what the first Machine
// waits for. It asks for one object of a kind and the number of the others: whole lists, twenty
// times a second, would take the processors from the operator that cleans.
func (b *bench) left(ctx context.Context, namespace string) error {
	one := []client.ListOption{client.InNamespace(namespace), client.Limit(1)}
	machines := &vitistackv1alpha1.MachineList{}
	if err := b.clients.admin.List(ctx, machines, one...); err != nil {
		return err
	}
	vms := 0
	for _, c := range b.clients.lookers {
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

// until waits until there is no error any more.
func (b *bench) until(ctx context.Context, check func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if last == nil || ctx.Err() == nil {
			last = err // and not that the time was over during the last check
		}
		return err == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}
