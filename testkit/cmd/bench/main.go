// Command bench measures the operator against a bare loop that makes the same calls and knows
// nothing: what do its promises cost? All of it runs on one fleet, in turn, in one run. Ratios of
// medians are printed, because times on a shared machine are noise. A row is "NAME VALUE BOUND
// PASS|MISS"; where bare-loop-against-itself is far from 1, the machine was too busy for the rest
// to mean anything.
package main

import (
	"fmt"
	"os"
	"time"

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
			b.out, b.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if b.machines < involved || b.pairs < 1 || b.changes < 1 {
				return fmt.Errorf("want at least %d machines, one pair and one change", involved)
			}
			return b.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&b.operator, "operator", "bin/operator", "the operator's binary, with its plugins beside it")
	cmd.Flags().IntVar(&b.machines, "machines", 300, "Machines a round, over three clusters")
	cmd.Flags().IntVar(&b.pairs, "pairs", 7, "rounds of each kind")
	cmd.Flags().IntVar(&b.changes, "changes", 60, "guests that change, for the latency of the status")
	cmd.Flags().DurationVar(&b.within, "within", 40*time.Minute, "how long all of it may take")
	cmd.Flags().BoolVar(&b.asJSON, "json", false, "print the rows as JSON")
	return cmd
}
