package moving

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// cordonCommand sets spec.paused of a KubevirtConfig.
func cordonCommand(verb, short string, closed bool) *cobra.Command {
	var way reach.Flags
	cmd := &cobra.Command{
		Use:   verb + " CLUSTER",
		Short: short,
		Long:  short + ".\nIt sets spec.paused of the KubevirtConfig. What is in the cluster is looked after as before.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			if err := cordon(cmd.Context(), supervisor, args[0], closed, cmd.OutOrStdout()); err != nil || closed {
				return err
			}
			return warnOfDrain(cmd.Context(), supervisor, args[0], cmd.ErrOrStderr())
		},
	}
	way.Add(cmd.Flags())
	return cmd
}

func cordon(ctx context.Context, supervisor *reach.Supervisor, name string, closed bool, out io.Writer) error {
	config, err := supervisor.KubevirtConfig(ctx, name)
	if err != nil {
		return err
	}
	state := map[bool]string{true: "takes no new Machines", false: "takes new Machines"}[closed]
	if config.Spec.Paused == closed {
		fmt.Fprintf(out, "Cluster %s already %s (spec.paused was %t).\n", name, state, closed)
		return nil
	}
	before := config.DeepCopy()
	config.Spec.Paused = closed
	if err := supervisor.Patch(ctx, config, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("changing KubevirtConfig %s: %w", name, err)
	}
	fmt.Fprintf(out, "Cluster %s now %s (spec.paused was %t).\n", name, state, !closed)
	return nil
}

// warnOfDrain says so where Machines are still moved away from the cluster.
func warnOfDrain(ctx context.Context, supervisor *reach.Supervisor, name string, out io.Writer) error {
	evacuation, err := find(ctx, supervisor, name)
	if err != nil || evacuation == nil {
		return nil //nolint:nilerr // who may not read Evacuations has done what he asked for
	}
	fmt.Fprintf(out, "Evacuation %s is there: Machines are still moved away from it. kubectl machine drain %s --end "+
		"ends that.\n", evacuation.Name, name)
	return nil
}
