package timed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"golang.org/x/sync/errgroup"
)

// The namespaces of the two that are compared.
const (
	operatorsNamespace = "latency-operator"
	baresNamespace     = "latency-bare"
)

// The rows of Latency.
const (
	RowBareStatus = "status-bare-loop-against-itself"
	RowStatus     = "status-latency-p50"
)

// Latency times how long it takes from a change of a guest until the status of its Machine shows
// it: by the operator, and by a loop that watches guests and patches Machines. Each guest is
// changed once, because the operator gathers changes that follow each other within a second.
func (b *Bench) Latency(ctx context.Context) (_ []report.Row, err error) {
	b.Say("\n%d guests change, one after the other, for operator and bare loop in turn:", b.Changes)
	ctx, cancel := context.WithTimeout(ctx, 2*stage.Patience)
	defer cancel()
	for _, namespace := range []string{operatorsNamespace, baresNamespace} {
		if err := b.makeGuests(ctx, namespace); err != nil {
			return nil, fmt.Errorf("making guests: %w", err)
		}
	}
	looping, stop := context.WithCancel(ctx)
	var loop errgroup.Group
	defer func() {
		stop()
		_ = loop.Wait() // it ends because it is stopped
	}()
	remote := b.Remotes[b.Fleet.Remotes[0].Name]
	guests, err := stage.WatchIn(looping, remote, &kubevirtv1.VirtualMachineInstanceList{}, baresNamespace)
	if err != nil {
		return nil, err
	}
	loop.Go(func() error { return b.copyNodes(looping, guests) })
	var operator, bare []time.Duration
	for i := range b.Changes {
		for _, arm := range []struct {
			namespace string
			times     *[]time.Duration
		}{{operatorsNamespace, &operator}, {baresNamespace, &bare}} {
			took, err := b.change(ctx, arm.namespace, i)
			if err != nil {
				return nil, fmt.Errorf("%s/%s: %w", arm.namespace, guestName(i), err)
			}
			*arm.times = append(*arm.times, took)
		}
	}
	b.Say("  p50 %s, bare loop %s", p50(operator), p50(bare))
	var odd, even []time.Duration
	for i, took := range bare {
		if i%2 == 0 {
			even = append(even, took)
		} else {
			odd = append(odd, took)
		}
	}
	rows := []report.Row{
		report.Noise(RowBareStatus, 1.05, []float64{p50(odd).Seconds() / p50(even).Seconds()}).
			Noted("every second of %d changes against the others", b.Changes),
		report.Median(RowStatus, report.Ratio, 1.5, []float64{p50(operator).Seconds() / p50(bare).Seconds()}).
			Noted("%d changes of guests, until the Machine shows them: %.1f ms, bare loop %.1f ms", b.Changes,
				1000*p50(operator).Seconds(), 1000*p50(bare).Seconds()),
	}
	return rows, errors.Join(b.Clean(ctx, operatorsNamespace, false), b.Clean(ctx, baresNamespace, true))
}

// p50 is the middle of times.
func p50(times []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

func guestName(i int) string { return fmt.Sprintf("m%03d", i) }

// makeGuests creates Machines with a VirtualMachine and a running guest each. KubeVirt is frozen:
// it neither starts nor stops what is written here.
func (b *Bench) makeGuests(ctx context.Context, namespace string) error {
	if err := b.MakeNamespaces(ctx, namespace); err != nil {
		return err
	}
	operators, config := namespace == operatorsNamespace, b.Fleet.Remotes[0].Name
	for i := range b.Changes {
		if err := b.Admin.Create(ctx, newMachine(namespace, guestName(i), config, operators)); err != nil {
			return err
		}
		if operators {
			continue
		}
		if err := b.Lookers[0].Create(ctx, b.newVM(namespace, guestName(i))); err != nil {
			return err
		}
	}
	for i := range b.Changes {
		if err := b.makeGuest(ctx, namespace, guestName(i)); err != nil {
			return err
		}
	}
	return nil
}

// makeGuest gives a VirtualMachine its guest, once it is there.
func (b *Bench) makeGuest(ctx context.Context, namespace, machine string) error {
	vm := &kubevirtv1.VirtualMachine{}
	key := client.ObjectKey{Namespace: namespace, Name: "vm-" + machine}
	if err := b.Until(ctx, func(ctx context.Context) error { return b.Lookers[0].Get(ctx, key, vm) }); err != nil {
		return err
	}
	if err := b.Lookers[0].Create(ctx, newGuest(vm, "before")); err != nil {
		return err
	}
	if namespace == baresNamespace {
		return nil
	}
	return b.Until(ctx, func(ctx context.Context) error {
		seen := &vitistackv1alpha1.Machine{}
		if err := b.Admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: machine}, seen); err != nil {
			return err
		}
		if seen.Status.NodeName != "before" {
			return fmt.Errorf("%s shows the node %q", machine, seen.Status.NodeName)
		}
		return nil
	})
}

// change moves a guest to another node and waits until its Machine shows that.
func (b *Bench) change(ctx context.Context, namespace string, i int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, stage.Patience)
	defer cancel()
	machines, err := stage.WatchIn(ctx, b.Admin, &vitistackv1alpha1.MachineList{}, namespace)
	if err != nil {
		return 0, err
	}
	defer machines.Stop()
	key := client.ObjectKey{Namespace: namespace, Name: "vm-" + guestName(i)}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := b.Lookers[0].Get(ctx, key, vmi); err != nil {
		return 0, err
	}
	before := client.MergeFrom(vmi.DeepCopy())
	vmi.Status.NodeName = "after"
	start := time.Now()
	if err := b.Lookers[0].Patch(ctx, vmi, before); err != nil {
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
func (b *Bench) copyNodes(ctx context.Context, guests watch.Interface) error {
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
			if err := b.Supervisor.Status().Patch(ctx, machine, before); err != nil {
				return err
			}
		}
	}
}
