package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
)

const (
	// namespace has the Machines.
	namespace = "soak"
	// callPatience is for one call: a supervisor that is down answers none.
	callPatience = 10 * time.Second
	gibibyte     = 1 << 30
)

// churn lets Machines come, change, stop and go. There are as many after each change as before, and
// each new one has a name that none had. It is not safe for concurrent use.
type churn struct {
	stage    *stage.Stage
	clusters []string
	random   *rand.Rand

	names []string
	made  int
	// done counts the changes by their kind, failed those that the supervisor did not take.
	done   map[string]int
	failed int
}

// next returns the next Machine. One of two has a guest that runs.
func (c *churn) next() *vitistackv1alpha1.Machine {
	name, config := fmt.Sprintf("m%06d", c.made), c.clusters[c.made%len(c.clusters)]
	c.made++
	if c.made%2 == 0 {
		return stage.NewRunning(namespace, name, config)
	}
	return stage.NewMachine(namespace, name, config)
}

// fill makes the first Machines.
func (c *churn) fill(ctx context.Context, count int) error {
	machines := make([]*vitistackv1alpha1.Machine, count)
	for i := range machines {
		machines[i] = c.next()
		c.names = append(c.names, machines[i].Name)
	}
	return stage.SideBySide(ctx, count, func(ctx context.Context, i int) error {
		return c.stage.Admin.Create(ctx, machines[i])
	})
}

// run makes so many changes a second until ctx ends. What the supervisor does not take, because it
// is broken at the moment, is counted.
func (c *churn) run(ctx context.Context, aSecond float64) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / aSecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		what, change := c.draw()
		calling, cancel := context.WithTimeout(ctx, callPatience)
		err := change(calling)
		cancel()
		switch {
		case err == nil:
			c.done[what]++
		case ctx.Err() == nil:
			c.failed++
		}
	}
}

// draw chooses the next change.
func (c *churn) draw() (what string, change func(context.Context) error) {
	i := c.random.IntN(len(c.names))
	switch c.random.IntN(10) {
	case 0, 1, 2:
		return "edit", func(ctx context.Context) error { return c.edit(ctx, c.names[i], tag) }
	case 3:
		return "resize", func(ctx context.Context) error { return c.edit(ctx, c.names[i], resize) }
	case 4, 5:
		return "stop or start", func(ctx context.Context) error { return c.edit(ctx, c.names[i], turn) }
	default:
		return "replace", func(ctx context.Context) error { return c.replace(ctx, i) }
	}
}

// edit changes a Machine as people do.
func (c *churn) edit(ctx context.Context, name string, change func(*vitistackv1alpha1.Machine)) error {
	machine := &vitistackv1alpha1.Machine{}
	if err := c.stage.Admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, machine); err != nil {
		return err
	}
	before := machine.DeepCopy()
	change(machine)
	return c.stage.Admin.Patch(ctx, machine, client.MergeFrom(before))
}

// tag changes nothing that the virtual machine has.
func tag(machine *vitistackv1alpha1.Machine) {
	machine.Spec.Tags = map[string]string{"edited": fmt.Sprint(machine.Generation)}
}

// resize changes the memory.
func resize(machine *vitistackv1alpha1.Machine) {
	machine.Spec.Memory = machine.Spec.Memory%(4*gibibyte) + gibibyte
}

// turn stops what runs, and starts what is off.
func turn(machine *vitistackv1alpha1.Machine) {
	if machine.Spec.RunStrategy == vitistackv1alpha1.RunStrategyHalted {
		machine.Spec.RunStrategy = vitistackv1alpha1.RunStrategyAlways
		return
	}
	machine.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted
}

// replace deletes a Machine and makes another one. Where only the first was done the name stays, so
// that the next try makes up for it.
func (c *churn) replace(ctx context.Context, i int) error {
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: c.names[i]}}
	if err := client.IgnoreNotFound(c.stage.Admin.Delete(ctx, machine)); err != nil {
		return err
	}
	next := c.next()
	if err := c.stage.Admin.Create(ctx, next); err != nil {
		return err
	}
	c.names[i] = next.Name
	return nil
}
