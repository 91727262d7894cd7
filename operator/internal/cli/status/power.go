package status

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// powerTimeout is how long --wait waits.
const powerTimeout = 5 * time.Minute

// power is a change of a Machine's run strategy.
type power struct {
	reach.Subject

	strategy string
	phase    vitistackv1alpha1.MachinePhase
	wait     bool
}

func startCommand() *cobra.Command {
	p := power{phase: vitistackv1alpha1.MachinePhaseRunning}
	cmd := &cobra.Command{
		Use:   "start (NAME | NAMESPACE/NAME)",
		Short: "Start a Machine: set its spec.runStrategy",
		Args:  cobra.ExactArgs(1),
		RunE:  p.run,
	}
	p.add(cmd)
	cmd.Flags().StringVar(&p.strategy, "run-strategy", string(vitistackv1alpha1.RunStrategyAlways),
		"Always, or RerunOnFailure or Once")
	return cmd
}

func stopCommand() *cobra.Command {
	p := power{strategy: string(vitistackv1alpha1.RunStrategyHalted), phase: vitistackv1alpha1.MachinePhaseStopped}
	cmd := &cobra.Command{
		Use:   "stop (NAME | NAMESPACE/NAME)",
		Short: "Stop a Machine: set its spec.runStrategy to Halted",
		Args:  cobra.ExactArgs(1),
		RunE:  p.run,
	}
	p.add(cmd)
	return cmd
}

func (p *power) add(cmd *cobra.Command) {
	p.Add(cmd.Flags())
	cmd.Flags().BoolVar(&p.wait, "wait", false, "wait until it is done, for five minutes at most")
}

func (p *power) run(cmd *cobra.Command, args []string) error {
	running := []vitistackv1alpha1.RunStrategy{
		vitistackv1alpha1.RunStrategyAlways, vitistackv1alpha1.RunStrategyRerunOnFailure, vitistackv1alpha1.RunStrategyOnce,
	}
	strategy := vitistackv1alpha1.RunStrategy(p.strategy)
	if strategy != vitistackv1alpha1.RunStrategyHalted && !slices.Contains(running, strategy) {
		return fmt.Errorf("--run-strategy %s: want one of %v", strategy, running)
	}
	supervisor, key, err := p.Open(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	return p.set(cmd.Context(), cmd.OutOrStdout(), supervisor, key)
}

// set changes the field, and nothing else of the Machine.
func (p *power) set(ctx context.Context, out io.Writer, supervisor *reach.Supervisor, key client.ObjectKey) error {
	machine, err := reach.Machine(ctx, supervisor, key)
	if err != nil {
		return err
	}
	before := machine.DeepCopy()
	was := machine.Spec.RunStrategy
	machine.Spec.RunStrategy = vitistackv1alpha1.RunStrategy(p.strategy)
	if was == machine.Spec.RunStrategy {
		fmt.Fprintf(out, "Machine %s has spec.runStrategy %s already; its phase is %s.\n", key, was, machine.Status.Phase)
	} else {
		if err := supervisor.Patch(ctx, machine, client.MergeFrom(before)); err != nil {
			return fmt.Errorf("changing Machine %s: %w", key, err)
		}
		fmt.Fprintf(out, "Machine %s: spec.runStrategy is now %s.\n", key, p.strategy)
	}
	if !p.wait {
		return nil
	}
	return p.until(ctx, out, supervisor, machine)
}

// until waits for the phase.
func (p *power) until(
	ctx context.Context, out io.Writer, supervisor *reach.Supervisor, machine *vitistackv1alpha1.Machine,
) error {
	key := client.ObjectKeyFromObject(machine)
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, powerTimeout, true,
		func(ctx context.Context) (bool, error) {
			err := supervisor.Get(ctx, key, machine)
			return machine.Status.Phase == p.phase && machine.Status.ObservedGeneration >= machine.Generation, err
		})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("machine %s is %s after %s, not %s: %s", key, machine.Status.Phase, powerTimeout, p.phase,
			machine.Status.Message)
	}
	if err == nil {
		fmt.Fprintf(out, "Machine %s is %s.\n", key, p.phase)
	}
	return err
}
