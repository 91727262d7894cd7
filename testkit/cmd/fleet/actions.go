package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// clusterCommands are the commands that act on one cluster of a running fleet.
func clusterCommands(dir *string) []*cobra.Command {
	var scope string
	fault := action(dir, "fault CLUSTER KIND[=VALUE]", "Make a cluster's proxy misbehave; `fault CLUSTER pass` ends that",
		2,
		func(args []string) []string { return []string{args[0], scope} })
	fault.Flags().StringVar(&scope, "on", string(faults.All), "what it acts on: dial, list, watch, write or all")

	var bump bool
	restore := action(dir, "restore CLUSTER FILE", "Put a snapshot back in place of all that the cluster holds", 2,
		func(args []string) []string { return []string{absolute(args[0]), fmt.Sprint(bump)} })
	restore.Flags().BoolVar(&bump, "bump-revision", false, "let the revision go on above every one that was given out")

	return []*cobra.Command{
		fault,
		action(dir, "freeze CLUSTER", "Stop all of a cluster's processes from running", 1, nil),
		action(dir, "thaw CLUSTER", "Let a frozen cluster go on", 1, nil),
		action(dir, "kill CLUSTER", "End all of a cluster's processes at once", 1, nil),
		action(dir, "start CLUSTER", "Start a killed cluster again with its data", 1, nil),
		action(dir, "snapshot CLUSTER FILE", "Save a cluster's etcd", 2,
			func(args []string) []string { return []string{absolute(args[0])} }),
		restore,
		action(dir, "rotate CLUSTER token|cert|ca", "Replace a part of the operator's kubeconfig and end the old one", 2,
			nil),
	}
}

// action is a command with a cluster as its first argument; more turns the other arguments into
// what is sent, nil meaning as they are.
func action(dir *string, use, short string, args int, more func([]string) []string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := request{Action: cmd.Name(), Cluster: args[0], Args: args[1:]}
			if more != nil {
				req.Args = more(args[1:])
			}
			return ask(cmd.Context(), *dir, req, nil)
		},
	}
}

// absolute makes a path independent of the folder that the process with the fleet was started in.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// act carries out a request.
func act(ctx context.Context, f *fleet.Fleet, req request) (any, error) {
	if req.Action == "status" {
		return f.Status(), nil
	}
	c, err := f.Cluster(req.Cluster)
	if err != nil {
		return nil, err
	}
	return nil, actOn(ctx, c, req)
}

func actOn(ctx context.Context, c *fleet.Cluster, req request) error {
	switch req.Action {
	case "fault":
		fault, err := faults.ParseFault(req.Args[0], req.Args[1])
		if err != nil {
			return err
		}
		return c.SetFault(fault)
	case "freeze":
		return c.Freeze()
	case "thaw":
		return c.Thaw()
	case "kill":
		return c.Kill()
	case "start":
		return c.Launch(ctx)
	case "snapshot":
		return c.Snapshot(ctx, req.Args[0])
	case "restore":
		return c.Restore(ctx, req.Args[0], controlplane.RestoreOptions{BumpRevision: req.Args[1] == "true"})
	case "rotate":
		return c.Rotate(ctx, fleet.Rotation(req.Args[0]))
	default:
		return fmt.Errorf("unknown action %q", req.Action)
	}
}
