package scenarios

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// census follows the virtual machines of a namespace in all clusters, from its beginning to the end
// of the test: what a look now and then would miss is in it.
type census struct {
	mu      sync.Mutex
	living  map[types.UID]string   // their Machines, by their own UIDs
	deleted map[string][]types.UID // those that were told to go, by Machine
	doubles []string               // Machines that had two at a time
	ended   []string               // clusters whose watch broke
}

// newCensus begins before there is a virtual machine in the namespace.
func newCensus(t *testing.T, ns string) *census {
	t.Helper()
	c := &census{living: map[types.UID]string{}, deleted: map[string][]types.UID{}}
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	t.Cleanup(func() { cancel(); following.Wait() })
	for _, remote := range world.fleet.Remotes {
		watcher, err := client.NewWithWatch(remote.ControlPlane.Config(),
			client.Options{Scheme: world.remote[remote.Name].Scheme()})
		if err != nil {
			t.Fatal(err)
		}
		stream, err := watcher.Watch(ctx, &kubevirtv1.VirtualMachineList{}, client.InNamespace(ns))
		if err != nil {
			t.Fatal(err)
		}
		following.Go(func() {
			for event := range stream.ResultChan() {
				c.count(event)
			}
			if ctx.Err() == nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.ended = append(c.ended, remote.Name)
			}
		})
	}
	return c
}

func (c *census) count(event watch.Event) {
	vm, ok := event.Object.(*kubevirtv1.VirtualMachine)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	machine := vm.Labels[vitistackv1alpha1.LabelSourceMachine]
	if _, known := c.living[vm.UID]; known && (!vm.DeletionTimestamp.IsZero() || event.Type == watch.Deleted) {
		c.deleted[machine] = append(c.deleted[machine], vm.UID)
		delete(c.living, vm.UID)
	}
	if event.Type != watch.Added || !vm.DeletionTimestamp.IsZero() {
		return
	}
	for uid, other := range c.living {
		if other == machine {
			c.doubles = append(c.doubles, fmt.Sprintf("%s: %s and %s", machine, uid, vm.UID))
		}
	}
	c.living[vm.UID] = machine
}

// alive are the virtual machines that nobody told to go: their Machines by their UIDs.
func (c *census) alive() map[types.UID]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.living)
}

// check fails where a Machine had two virtual machines at a time, or where others were deleted than
// those of the Machines named, one each.
func (c *census) check(t *testing.T, deleted ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.doubles) > 0 || len(c.ended) > 0 {
		t.Errorf("Machines with two virtual machines: %v; clusters that were lost sight of: %v", c.doubles, c.ended)
	}
	want := map[string]int{}
	for _, machine := range deleted {
		want[machine]++
	}
	got := map[string]int{}
	for machine, uids := range c.deleted {
		got[machine] = len(uids)
	}
	if !maps.Equal(want, got) {
		t.Errorf("virtual machines were deleted of %v, to be deleted were those of %v", got, want)
	}
}
