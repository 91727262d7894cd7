package rolling

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Command is kubectl machine rollout.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Restart or resize many Machines, a few at a time",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		beginCommand(vitistackv1alpha1.RolloutRestart, "restart", "Restart Machines"),
		beginCommand(vitistackv1alpha1.RolloutResize, "resize", "Give Machines the size of their class, or another class"),
		statusCommand(),
		changeCommand("pause", "Begin no further Machine; those under way go on", "begins no further Machine",
			func(spec *vitistackv1alpha1.MachineRolloutSpec) { spec.Paused = true }),
		changeCommand("resume", "Go on after pause", "goes on",
			func(spec *vitistackv1alpha1.MachineRolloutSpec) { spec.Paused = false }),
		changeCommand("abort", "Begin no further Machine, ever; those under way go on", "is given up",
			func(spec *vitistackv1alpha1.MachineRolloutSpec) { spec.Abort = true }),
	)
	return cmd
}

// explained says what to do where the supervisor is older than this program.
func explained(doing string, err error) error {
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%s: the supervisor has no definition of rollouts: upgrade the operator and its definitions", doing)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
