package scale

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale/figures"
)

const (
	// patience is for one Machine.
	patience = time.Minute
	// perMachine is for each of many that are created at once: what is slow is measured, and not given up.
	perMachine = 500 * time.Millisecond
	// changedShare of the guests change while there is no operator, and at most maxChanged of them.
	changedShare, maxChanged = 10, 500
)

// Measure brings the Machines to a number, which must not be smaller than before, and takes all
// figures at that size.
func (w *World) Measure(ctx context.Context, machines int) (cell figures.Cell, err error) {
	cell = figures.Cell{Clusters: w.options.Clusters, Machines: machines, Kind: w.options.Kind}
	singles := newcomers + w.options.Samples // created one by one, and at the restart at most
	silent := silentOf(w.options.Clusters)
	if silent > 0 {
		singles += w.options.Samples
	}
	bulk := machines - singles - w.made
	if bulk < 0 {
		return cell, fmt.Errorf("%d Machines: there are %d, and %d are created one by one", machines, w.made, singles)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, *figures.Cell) error
	}{
		{fmt.Sprintf("creating %d Machines", bulk), func(ctx context.Context, c *figures.Cell) error {
			return w.fill(ctx, c, bulk)
		}},
		{"creating Machines and changing guests, one by one", func(ctx context.Context, c *figures.Cell) (err error) {
			c.Create, c.Status, err = w.one(ctx, 0)
			return err
		}},
		{fmt.Sprintf("the same while %d clusters are silent", silent), w.silence},
		{"killing the operator and starting it again", w.restart},
		{fmt.Sprintf("watching the operator at rest for %s", w.options.Rest), w.rest},
	} {
		w.say("%d clusters (%s), %d Machines: %s", cell.Clusters, cell.Kind, machines, step.name)
		if err := step.do(ctx, &cell); err != nil {
			return cell, errors.Join(fmt.Errorf("%s: %w", step.name, err), w.operator.process.Exited())
		}
	}
	return cell, nil
}

// silentOf is a tenth of the clusters, at least one of several.
func silentOf(clusters int) int {
	if clusters == 1 {
		return 0
	}
	return max(1, clusters/10)
}

// newMachine is the next one: they are in the clusters in turn.
func (w *World) newMachine() *vitistackv1alpha1.Machine {
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: machineName(w.next),
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: w.clusterOf(w.next).name},
		},
		Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	}
	w.next++
	w.made++
	return machine
}

func machineName(i int) string { return fmt.Sprintf("m%05d", i) }

func (w *World) clusterOf(i int) *remote { return w.remotes[i%len(w.remotes)] }

// fill creates Machines at once and waits until all of them run.
func (w *World) fill(ctx context.Context, cell *figures.Cell, count int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*patience+time.Duration(count)*perMachine,
		errors.New("it takes too long"))
	defer cancel()
	start := time.Now()
	all := make([]*vitistackv1alpha1.Machine, count)
	for i := range all {
		all[i] = w.newMachine()
	}
	err := sideBySide(ctx, count, func(ctx context.Context, i int) error { return w.admin.Create(ctx, all[i]) })
	if err != nil {
		return err
	}
	if err := w.machines.wait(ctx, w.made); err != nil {
		return err
	}
	if count > 0 {
		cell.FillPerSecond = float64(count) / time.Since(start).Seconds()
	}
	return w.operator.settle(ctx)
}

// one creates Machines and changes guests, one after the other, in clusters other than the first
// ones.
func (w *World) one(ctx context.Context, but int) (create, status figures.Quantiles, err error) {
	var created, shown []time.Duration
	for range w.options.Samples {
		for w.next%len(w.remotes) < but { // it would be in a silent cluster
			w.next++
		}
		took, err := w.create(ctx)
		if err != nil {
			return create, status, err
		}
		created = append(created, took)
	}
	if err := w.operator.settle(ctx); err != nil {
		return create, status, err
	}
	if err := w.hold(true); err != nil {
		return create, status, err
	}
	var running []int
	for i := range w.next {
		if i%len(w.remotes) >= but && w.machines.isRunning(machineName(i)) {
			running = append(running, i)
		}
	}
	samples := min(w.options.Samples, len(running))
	for n := range samples { // each once: a second change waits for its Machine's pace
		at := running[n*len(running)/samples]
		took, err := w.change(ctx, at, fmt.Sprintf("node-%d", time.Now().UnixNano()))
		if err != nil {
			return create, status, err
		}
		shown = append(shown, took)
	}
	return figures.NewQuantiles(created), figures.NewQuantiles(shown), w.hold(false)
}

// create times how long it takes from the creation of a Machine until its VirtualMachine exists.
func (w *World) create(ctx context.Context) (time.Duration, error) {
	machine := w.newMachine()
	made := w.vms.expect(machine.Name)
	start := time.Now()
	if err := w.admin.Create(ctx, machine); err != nil {
		return 0, err
	}
	return since(ctx, start, made, "the VirtualMachine of "+machine.Name)
}

// change times how long it takes from a change of a guest until its Machine shows it.
func (w *World) change(ctx context.Context, i int, node string) (time.Duration, error) {
	shown := w.machines.expect(machineName(i), node)
	asked, err := w.clusterOf(i).moveGuest(ctx, machineName(i), node)
	if err != nil {
		return 0, err
	}
	return since(ctx, asked, shown, "the status of "+machineName(i))
}

func since(ctx context.Context, start time.Time, at <-chan time.Time, what string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case end := <-at:
		return end.Sub(start), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("waiting for %s: %w", what, ctx.Err())
	}
}

// hold keeps KubeVirt of all clusters from acting, or ends that.
func (w *World) hold(held bool) error {
	var all error
	for _, remote := range w.remotes {
		all = errors.Join(all, remote.hold(held))
	}
	return all
}

// silence measures while the first clusters answer nothing.
func (w *World) silence(ctx context.Context, cell *figures.Cell) error {
	cell.SilentClusters = silentOf(len(w.remotes))
	if cell.SilentClusters == 0 {
		return nil
	}
	set := func(silent bool) (err error) {
		for _, remote := range w.remotes[:cell.SilentClusters] {
			err = errors.Join(err, remote.silence(silent))
		}
		return err
	}
	if err := set(true); err != nil {
		return err
	}
	var err error
	cell.SilentCreate, cell.SilentStatus, err = w.one(ctx, cell.SilentClusters)
	if err = errors.Join(err, set(false)); err != nil {
		return err
	}
	return w.operator.settle(ctx)
}

// rest watches the operator while nothing happens.
func (w *World) rest(ctx context.Context, cell *figures.Cell) error {
	if err := w.operator.settle(ctx); err != nil {
		return err
	}
	if err := w.operator.calm(ctx); err != nil {
		return err
	}
	before, err := w.operator.read(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, w.options.Rest); err != nil {
		return err
	}
	after, err := w.operator.read(ctx)
	if err != nil {
		return err
	}
	if after.collections == before.collections {
		w.say("no garbage was collected meanwhile: the heap has some in it")
	}
	cell.HeapMiB, cell.ResidentMiB = after.heap/(1<<20), after.resident/(1<<20)
	cell.Goroutines = int(after.goroutines)
	cell.CPU = 100 * (after.cpu - before.cpu) / after.at.Sub(before.at).Seconds()
	return nil
}
