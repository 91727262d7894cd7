package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// backupKinds save the etcd of a cluster, and put it back later.
func backupKinds() []kind {
	return []kind{
		{name: "save-etcd", weight: 3, cost: time.Second, do: saveEtcd, draw: func(d *draft) Step {
			cluster := d.cluster()
			if !slices.Contains(d.saved, cluster) {
				d.saved = append(d.saved, cluster)
			}
			return Step{Subject: cluster}
		}},
		{name: "restore-etcd", weight: 2, cost: seconds(8), do: restoreEtcd, draw: func(d *draft) Step {
			bump := map[string]string{"bump": of(d, "true", "false")}
			if len(d.saved) == 0 {
				return Step{Subject: d.cluster(), Params: bump}
			}
			return Step{Subject: of(d, d.saved...), Params: bump}
		}},
	}
}

// saveEtcd keeps the newest backup alone.
func saveEtcd(ctx context.Context, w *world, step Step) error {
	cluster, err := w.fleet.Cluster(step.Subject)
	if err != nil {
		return err
	}
	file := filepath.Join(w.dir, w.next(step.Subject))
	if err := cluster.Snapshot(ctx, file); err != nil {
		return err
	}
	former := w.saved[step.Subject]
	w.saved[step.Subject] = file
	if former == "" {
		return nil
	}
	return os.Remove(former)
}

// restoreEtcd puts the newest backup back. A supervisor's etcd is restored with other revisions, or
// without the operator, as its documents ask for.
func restoreEtcd(ctx context.Context, w *world, step Step) (err error) {
	cluster, err := w.fleet.Cluster(step.Subject)
	if err != nil {
		return err
	}
	file, found := w.saved[step.Subject]
	if !found {
		return fmt.Errorf("there is no backup of %s", step.Subject)
	}
	options := controlplane.RestoreOptions{BumpRevision: step.Params["bump"] == "true"}
	if step.Subject == fleet.Supervisor && !options.BumpRevision {
		if err := w.operator.end(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.startOperator()) }()
	}
	w.restored[step.Subject] = time.Now()
	return cluster.Restore(ctx, file, options)
}
