package timed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"golang.org/x/sync/errgroup"
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
func (b *Bench) round(ctx context.Context, r round) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*stage.Patience)
	defer cancel()
	b.rounds++
	namespace := fmt.Sprintf("round-%d", b.rounds)
	if err := b.MakeNamespaces(ctx, namespace); err != nil {
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
	share := b.Machines / Involved
	began := make(chan time.Time, 1)
	seen := make([]time.Time, r.awaited)
	for i := range r.awaited {
		vms, err := stage.WatchIn(ctx, b.Lookers[i], &kubevirtv1.VirtualMachineList{}, namespace)
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
	return took, b.Clean(whole, namespace, r.maker != nil)
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
func (b *Bench) createMachines(ctx context.Context, namespace string, count int, r round) error {
	return stage.SideBySide(ctx, count, func(ctx context.Context, i int) error {
		config := b.Fleet.Remotes[i%r.clusters].Name
		return b.Admin.Create(ctx, newMachine(namespace, fmt.Sprintf("m%03d", i), config, r.maker == nil))
	})
}

// newMachine is the operator's or the bare loop's.
func newMachine(namespace, name, config string, operators bool) *vitistackv1alpha1.Machine {
	machine := stage.NewMachine(namespace, name, config)
	if !operators {
		machine.Spec.Provider = notOperators
	}
	return machine
}
