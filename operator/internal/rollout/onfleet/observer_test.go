package onfleet

import (
	"context"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// observer follows the Machines of a namespace from outside, and counts those that are not Ready. It
// knows nothing of the rollout.
type observer struct {
	mu       sync.Mutex
	notReady map[string]bool
	excused  map[string]bool // by a fault of the test's
	most     int
	// begun is called when a Machine was asked to restart for the first time.
	begun func(*vitistackv1alpha1.Machine)
	asked map[string]bool
}

// observe follows the Machines until the test ends.
func observe(t *testing.T, namespace string, begun func(*vitistackv1alpha1.Machine)) *observer {
	t.Helper()
	o := &observer{notReady: map[string]bool{}, excused: map[string]bool{}, asked: map[string]bool{}, begun: begun}
	supervisor := world.fleet.Supervisor
	c, err := client.NewWithWatch(supervisor.ControlPlane.Config(), client.Options{Scheme: supervisor.Client().Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() {
		for ctx.Err() == nil {
			w, err := c.Watch(ctx, &vitistackv1alpha1.MachineList{}, client.InNamespace(namespace))
			if err != nil {
				time.Sleep(100 * time.Millisecond)
				continue
			}
			for event := range w.ResultChan() {
				if machine, isMachine := event.Object.(*vitistackv1alpha1.Machine); isMachine {
					o.saw(machine)
				}
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		following.Wait()
	})
	return o
}

func (o *observer) saw(machine *vitistackv1alpha1.Machine) {
	ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
	o.mu.Lock()
	o.notReady[machine.Name] = ready == nil || ready.Status != "True"
	now := 0
	for name, is := range o.notReady {
		if is && !o.excused[name] {
			now++
		}
	}
	o.most = max(o.most, now)
	first := machine.Annotations[vitistackv1alpha1.AnnotationRestart] != "" && !o.asked[machine.Name]
	if first {
		o.asked[machine.Name] = true
	}
	o.mu.Unlock()
	if first {
		o.begun(machine)
	}
}

// excuse takes Machines out of the count, or in again.
func (o *observer) excuse(is bool, names ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range names {
		o.excused[name] = is
	}
}

// counted is the most that were not Ready at once, and how many were asked to restart.
func (o *observer) counted() (most, asked int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most, len(o.asked)
}
