package chaos

import (
	"context"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// serverKinds are what happens to whole clusters.
func serverKinds() []kind {
	return []kind{
		{name: "freeze-server", weight: 3, draw: func(d *draft) Step {
			return Step{Subject: d.cluster(), Params: map[string]string{"for": d.lasting(seconds(1), seconds(6))}}
		}, do: func(ctx context.Context, w *world, step Step) error {
			return w.down(ctx, step, (*fleet.Cluster).Freeze, func(_ context.Context, c *fleet.Cluster) error {
				return c.Thaw()
			})
		}},
		{name: "kill-server", weight: 2, cost: seconds(6), draw: func(d *draft) Step {
			return Step{Subject: d.cluster(), Params: map[string]string{"for": d.lasting(0, seconds(6))}}
		}, do: func(ctx context.Context, w *world, step Step) error {
			return w.down(ctx, step, (*fleet.Cluster).Kill, func(ctx context.Context, c *fleet.Cluster) error {
				return c.Launch(ctx)
			})
		}},
	}
}

// down takes a cluster down, for a time.
func (w *world) down(
	ctx context.Context, step Step, begin func(*fleet.Cluster) error, end func(context.Context, *fleet.Cluster) error,
) error {
	cluster, err := w.fleet.Cluster(step.Subject)
	if err != nil {
		return err
	}
	// What is down already comes back first.
	if err := w.undos.finish(ctx, func(u undo) bool { return u.what == "outage of "+step.Subject }); err != nil {
		return err
	}
	if err := begin(cluster); err != nil {
		return err
	}
	return w.lasting(ctx, "outage of "+step.Subject, step, func(ctx context.Context) error { return end(ctx, cluster) })
}
