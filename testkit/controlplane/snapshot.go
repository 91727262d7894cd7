package controlplane

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// revisionBump is added to the revision by a restore that bumps it: more than a test could have
// written since the snapshot.
const revisionBump = "1000000000"

// Snapshot saves the running cluster's etcd to a file, which must not exist yet.
func (c *Cluster) Snapshot(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s: %w", file, os.ErrExist)
	}
	return c.run(ctx, "etcdctl", "--endpoints="+c.etcdURL(), "snapshot", "save", file)
}

// RestoreOptions say how a snapshot is put back.
type RestoreOptions struct {
	// BumpRevision lets the revision go on far above every one that was ever given out, as etcd's
	// documentation asks of a restore. Without it revisions go back and are given out again, as
	// careless restores do: watches that resume then miss events.
	BumpRevision bool
}

// Restore kills the cluster, replaces its etcd's data by that of a snapshot and starts it again. If
// the snapshot cannot be read, the cluster goes on with the data that it had.
func (c *Cluster) Restore(ctx context.Context, file string, options RestoreOptions) error {
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()

	next := c.etcdData() + ".restored"
	args := []string{"snapshot", "restore", file, "--data-dir=" + next}
	if options.BumpRevision {
		args = append(args, "--bump-revision="+revisionBump, "--mark-compacted")
	}
	if err := c.run(ctx, "etcdutl", args...); err != nil {
		return err
	}
	if err := c.killAll(); err != nil {
		return err
	}
	if err := os.RemoveAll(c.etcdData()); err != nil {
		return fmt.Errorf("removing the data of %s: %w", c.options.Name, err)
	}
	if err := os.Rename(next, c.etcdData()); err != nil {
		return err
	}
	return c.launch(ctx)
}

// run runs one of the cluster's programs to its end. Its error carries the last line that the
// program wrote.
func (c *Cluster) run(ctx context.Context, program string, args ...string) error {
	out, err := exec.CommandContext(ctx, c.options.Binaries[program], args...).CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, lines[len(lines)-1])
	}
	return nil
}
