package status

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func restartCommand() *cobra.Command {
	var of reach.Subject
	cmd := &cobra.Command{
		Use:   "restart (NAME | NAMESPACE/NAME)",
		Short: "Stop a Machine and start it again: what only a restart brings in, comes in",
		Long: "Stop a Machine and start it again: its spec.runStrategy is Halted until the guest has ended, for five minutes\n" +
			"at most, and then what it was. Where this command is interrupted it still sets the field back.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, key, err := of.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return restart(cmd.Context(), cmd.OutOrStdout(), supervisor, key)
		},
	}
	of.Add(cmd.Flags())
	return cmd
}

// restart stops a Machine and, whatever comes, starts it again.
func restart(ctx context.Context, out io.Writer, supervisor *reach.Supervisor, key client.ObjectKey) error {
	machine, err := reach.Machine(ctx, supervisor, key)
	if err != nil {
		return err
	}
	was := machine.Spec.RunStrategy
	switch was {
	case vitistackv1alpha1.RunStrategyHalted:
		return exit.No(fmt.Errorf("machine %s is stopped already: kubectl machine start %s", key, key))
	case "":
		was = vitistackv1alpha1.RunStrategyAlways // what the operator takes that for
	}
	stop := power{
		strategy: string(vitistackv1alpha1.RunStrategyHalted), phase: vitistackv1alpha1.MachinePhaseStopped, wait: true,
	}
	start := power{strategy: string(was), phase: vitistackv1alpha1.MachinePhaseRunning, wait: true}
	stopped := stop.set(ctx, out, supervisor, key)
	if ctx.Err() != nil { // nobody waits any more
		ctx, start.wait = context.WithoutCancel(ctx), false
	}
	if err := start.set(ctx, out, supervisor, key); err != nil {
		return err
	}
	return stopped
}
