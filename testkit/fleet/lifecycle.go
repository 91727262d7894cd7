package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// PIDs returns the process ids of all of the cluster's processes.
func (c *Cluster) PIDs() []int {
	pids := c.ControlPlane.PIDs()
	if c.KubeVirt != nil {
		pids = append(pids, c.KubeVirt.PIDs()...)
	}
	return pids
}

// SetFault lets the proxy misbehave. What was there before ends. The fault of a killed cluster
// waits until Launch.
func (c *Cluster) SetFault(fault faults.Fault) error { return c.outage.set(fault) }

// Fault returns what SetFault was given last; while the cluster is killed, that is what Launch
// brings back.
func (c *Cluster) Fault() faults.Fault { return c.outage.fault() }

// Freeze stops all of the cluster's processes from running: connections stay open and nothing
// answers.
func (c *Cluster) Freeze() error {
	return c.change(Frozen, func() error { return c.both(part.Freeze) }, Running)
}

// Thaw lets a frozen cluster go on.
func (c *Cluster) Thaw() error {
	return c.change(Running, func() error { return c.both(part.Thaw) }, Frozen)
}

// Kill ends all of the cluster's processes at once. The data and the addresses stay. The proxy
// refuses connections from then on, as a machine without an API server does.
func (c *Cluster) Kill() error { return c.change(Killed, c.kill, Running, Frozen) }

// Launch starts a killed cluster again with the data that it had, and then lets the proxy do what
// it did before.
func (c *Cluster) Launch(ctx context.Context) error {
	return c.change(Running, func() error { return c.launch(ctx) }, Killed)
}

// Snapshot saves the cluster's etcd to a new file.
func (c *Cluster) Snapshot(ctx context.Context, file string) error {
	return c.change(Running, func() error { return c.ControlPlane.Snapshot(ctx, file) }, Running)
}

// Restore puts a snapshot back, in place of everything that the cluster holds, and starts the
// cluster again; the proxy refuses connections meanwhile. A file that is no snapshot leaves the
// cluster as it was.
func (c *Cluster) Restore(ctx context.Context, file string, options controlplane.RestoreOptions) error {
	return c.change(Running, func() error { return c.restore(ctx, file, options) }, Running)
}

func (c *Cluster) kill() error { return errors.Join(c.both(part.Kill), c.outage.begin()) }

func (c *Cluster) launch(ctx context.Context) error {
	if err := c.ControlPlane.Launch(ctx); err != nil {
		return err
	}
	if err := c.outage.end(); err != nil || c.KubeVirt == nil {
		return err
	}
	return c.KubeVirt.Launch(ctx)
}

// restore keeps KubeVirt from acting on what it remembers, and then starts it anew.
func (c *Cluster) restore(ctx context.Context, file string, options controlplane.RestoreOptions) error {
	if _, err := os.Stat(file); err != nil {
		return err
	}
	if c.KubeVirt != nil {
		if err := c.KubeVirt.Freeze(); err != nil {
			return err
		}
	}
	err := errors.Join(c.outage.begin(), c.ControlPlane.Restore(ctx, file, options))
	if c.ControlPlane.Running() {
		err = errors.Join(err, c.outage.end())
	}
	switch {
	case c.KubeVirt == nil:
		return err
	case err != nil:
		return errors.Join(err, c.KubeVirt.Thaw())
	}
	if err := c.KubeVirt.Kill(); err != nil {
		return err
	}
	return c.KubeVirt.Launch(ctx)
}

// part is a half of a cluster: the control plane, and KubeVirt.
type part interface {
	Freeze() error
	Thaw() error
	Kill() error
}

func (c *Cluster) both(do func(part) error) error {
	err := do(c.ControlPlane)
	if c.KubeVirt != nil {
		err = errors.Join(err, do(c.KubeVirt))
	}
	return err
}

// change brings the cluster into state to. It refuses unless the cluster is in one of the states
// from.
func (c *Cluster) change(to State, do func() error, from ...State) error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if now := c.state.get(); !slices.Contains(from, now) {
		return fmt.Errorf("%s is %s", c.Name, now)
	}
	if err := do(); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", c.Name, err), c.settle())
	}
	c.state.set(to)
	return nil
}

// settle kills a cluster of which a failed change has left half.
func (c *Cluster) settle() error {
	if c.ControlPlane.Running() && (c.KubeVirt == nil || c.KubeVirt.Running()) {
		return nil
	}
	c.state.set(Killed)
	return c.kill()
}
