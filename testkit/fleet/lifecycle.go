package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// State returns whether the cluster runs.
func (c *Cluster) State() State {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	return c.state
}

// PIDs returns the process ids of all of the cluster's processes.
func (c *Cluster) PIDs() []int {
	pids := c.ControlPlane.PIDs()
	if c.KubeVirt != nil {
		pids = append(pids, c.KubeVirt.PIDs()...)
	}
	return pids
}

// Freeze stops all of the cluster's processes from running: connections stay open and nothing answers.
func (c *Cluster) Freeze() error {
	return c.change(Frozen, func() error { return c.both(part.Freeze) }, Running)
}

// Thaw lets a frozen cluster go on.
func (c *Cluster) Thaw() error {
	return c.change(Running, func() error { return c.both(part.Thaw) }, Frozen)
}

// Kill ends all of the cluster's processes at once. The data, the addresses and the proxy stay.
func (c *Cluster) Kill() error {
	return c.change(Killed, func() error { return c.both(part.Kill) }, Running, Frozen)
}

// Launch starts a killed cluster again with the data that it had.
func (c *Cluster) Launch(ctx context.Context) error {
	return c.change(Running, func() error { return c.launch(ctx) }, Killed)
}

// Snapshot saves the cluster's etcd to a new file.
func (c *Cluster) Snapshot(ctx context.Context, file string) error {
	return c.change(Running, func() error { return c.ControlPlane.Snapshot(ctx, file) }, Running)
}

// Restore puts a snapshot back, in place of everything that the cluster holds, and starts the cluster again.
func (c *Cluster) Restore(ctx context.Context, file string, options controlplane.RestoreOptions) error {
	return c.change(Running, func() error {
		if c.KubeVirt == nil {
			return c.ControlPlane.Restore(ctx, file, options)
		}
		if err := c.KubeVirt.Kill(); err != nil {
			return err
		}
		err := c.ControlPlane.Restore(ctx, file, options)
		return errors.Join(err, c.KubeVirt.Launch(ctx))
	}, Running)
}

func (c *Cluster) launch(ctx context.Context) error {
	if err := c.ControlPlane.Launch(ctx); err != nil || c.KubeVirt == nil {
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

// change brings the cluster into state to. It refuses unless the cluster is in one of the states from.
func (c *Cluster) change(to State, do func() error, from ...State) error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if !slices.Contains(from, c.state) {
		return fmt.Errorf("%s is %s", c.Name, c.state)
	}
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	c.state = to
	return nil
}
