package main

import (
	"context"
	"path/filepath"
)

// machine is how a person calls kubectl machine on the demo's supervisor, but for the command.
func (d *demo) machine() []string {
	return []string{filepath.Join(filepath.Dir(d.kubectl), "kubectl-machine"),
		"--kubeconfig", d.fleet.Supervisor.Kubeconfig(), "--namespace", "default"}
}

// move moves a Machine to another cluster, as a person would, and shows what a person sees.
func (d *demo) move(ctx context.Context) error {
	d.say("Moving Machine database from cluster-west to cluster-east, with its disks.")
	return d.kubectlMachine(ctx, "move", "database", "--to", "cluster-east", "--watch")
}
