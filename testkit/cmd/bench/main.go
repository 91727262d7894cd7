// Command bench measures the operator against a bare loop that makes the same calls and knows nothing: what do its promises cost? All of it
// runs on one fleet, in turn, in one run; ratios of medians are printed, because times on a shared machine are noise.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
)

func main() { os.Exit(command.Run(newCommand())) }

func newCommand() *cobra.Command {
	b := &bench{}
	cmd := &cobra.Command{
		Use:           "bench",
		Short:         "Measure the operator against a bare loop that makes the same calls",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out = cmd.OutOrStdout()
			return b.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&b.operator, "operator", "bin/operator", "the operator's binary, with its plugins beside it")
	cmd.Flags().IntVar(&b.machines, "machines", 300, "Machines a round, over three clusters")
	cmd.Flags().IntVar(&b.pairs, "pairs", 7, "rounds of each kind")
	return cmd
}
