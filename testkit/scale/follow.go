package scale

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	watchtools "k8s.io/client-go/tools/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale/figures"
)

// appeared tells when the VirtualMachines of Machines were made. It is safe for concurrent use.
type appeared struct {
	mu     sync.Mutex
	locked map[string]chan time.Time // those that are awaited, by Machine
}

func newAppeared() *appeared { return &appeared{locked: map[string]chan time.Time{}} }

// expect returns what gives the time once.
func (a *appeared) expect(machine string) <-chan time.Time {
	at := make(chan time.Time, 1)
	a.expectOn(machine, at)
	return at
}

// expectOn lets a channel, which must have room, get the time.
func (a *appeared) expectOn(machine string, at chan time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.locked[machine] = at
}

// came tells of a VirtualMachine by its name.
func (a *appeared) came(vm string, at time.Time) {
	machine := strings.TrimPrefix(vm, vmName(""))
	a.mu.Lock()
	defer a.mu.Unlock()
	if awaited, is := a.locked[machine]; is {
		delete(a.locked, machine)
		awaited <- at
	}
}

// followed is what the supervisor shows of Machines. It is safe for concurrent use.
type followed struct {
	mu     sync.Mutex
	locked struct {
		running map[string]bool
		node    map[string]string
		awaited map[string]awaitedNode
		grew    chan struct{} // closed when one more Machine runs
	}
}

type awaitedNode struct {
	node string
	at   chan time.Time
}

func newFollowed() *followed {
	f := &followed{}
	f.locked.running, f.locked.node = map[string]bool{}, map[string]string{}
	f.locked.awaited, f.locked.grew = map[string]awaitedNode{}, make(chan struct{})
	return f
}

// saw takes down what a Machine shows.
func (f *followed) saw(machine *vitistackv1alpha1.Machine, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if machine.Status.Phase == vitistackv1alpha1.MachinePhaseRunning && !f.locked.running[machine.Name] {
		f.locked.running[machine.Name] = true
		close(f.locked.grew)
		f.locked.grew = make(chan struct{})
	}
	f.locked.node[machine.Name] = machine.Status.NodeName
	if awaited, is := f.locked.awaited[machine.Name]; is && awaited.node == machine.Status.NodeName {
		delete(f.locked.awaited, machine.Name)
		awaited.at <- at
	}
}

// expect returns what gives the time when a Machine shows a node.
func (f *followed) expect(machine, node string) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := make(chan time.Time, 1)
	f.locked.awaited[machine] = awaitedNode{node, at}
	return at
}

// runs is how many Machines have run, and what tells of one more.
func (f *followed) runs() (count int, grew <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.locked.running), f.locked.grew
}

// wait waits until so many Machines run.
func (f *followed) wait(ctx context.Context, wanted int) error {
	for {
		count, grew := f.runs()
		if count >= wanted {
			return nil
		}
		select {
		case <-grew:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), fmt.Errorf("%d of %d Machines run", count, wanted))
		}
	}
}

// follow watches Machines, and virtual machines in real clusters: stand-ins tell of theirs.
func (w *World) follow(ctx context.Context) error {
	ctx, w.end = context.WithCancelCause(context.WithoutCancel(ctx))
	w.following, ctx = errgroup.WithContext(ctx)
	err := w.watch(ctx, w.admin, &vitistackv1alpha1.MachineList{}, func(object client.Object, _ watch.EventType) {
		w.machines.saw(object.(*vitistackv1alpha1.Machine), time.Now())
	})
	if err != nil || w.options.Kind == figures.StandIn {
		return err
	}
	for _, remote := range w.remotes {
		c, err := remote.connect()
		if err != nil {
			return err
		}
		err = w.watch(ctx, c, &kubevirtv1.VirtualMachineList{}, func(object client.Object, kind watch.EventType) {
			if kind == watch.Added {
				w.vms.came(object.GetName(), time.Now())
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// watch tells of each object that is added or changes from now on, until the end. It goes on where
// the server ends a watch.
func (w *World) watch(
	ctx context.Context, c client.WithWatch, list client.ObjectList, tell func(client.Object, watch.EventType),
) error {
	in := client.InNamespace(namespace)
	if err := c.List(ctx, list, in); err != nil {
		return err
	}
	events, err := watchtools.NewRetryWatcherWithContext(ctx, list.GetResourceVersion(), watcherFunc(
		func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return c.Watch(ctx, list.DeepCopyObject().(client.ObjectList), in, &client.ListOptions{Raw: &options})
		}))
	if err != nil {
		return err
	}
	w.following.Go(func() error {
		for event := range events.ResultChan() {
			if object, is := event.Object.(client.Object); is && event.Type != watch.Deleted {
				tell(object, event.Type)
			}
		}
		return nil
	})
	return nil
}

// watcherFunc is a cache.WatcherWithContext.
type watcherFunc func(context.Context, metav1.ListOptions) (watch.Interface, error)

// WatchWithContext implements cache.WatcherWithContext.
func (f watcherFunc) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return f(ctx, options)
}

// isRunning tells of one Machine.
func (f *followed) isRunning(machine string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.locked.running[machine]
}
