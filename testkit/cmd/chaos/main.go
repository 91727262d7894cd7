// Command chaos plays random schedules of what people, clusters and networks do to the operator, and
// looks for a violation of its invariants.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
)

func main() { os.Exit(command.Run(newCommand())) }

func newCommand() *cobra.Command {
	h := &hunt{}
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Play random schedules against the operator and look for a broken invariant",
		Long: "Play the schedule of each seed against a supervisor and three remote clusters, while an observer looks\n" +
			"for a broken invariant. A schedule that fails is played again with steps left out, until the shortest one\n" +
			"that still fails is found; it is printed, and written to a file that --schedule plays again.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			h.out, h.options.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return h.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&h.seed, "seed", 1, "the first seed")
	flags.IntVar(&h.seeds, "seeds", 1, "how many seeds, one after the other")
	flags.DurationVar(&h.length, "time", defaultLength, "about how long the steps of a schedule take")
	flags.StringVar(&h.file, "schedule", "", "play the schedule of this file in place of a seed's")
	flags.StringVar(&h.kubeVirt, "kubevirt", "light", "light, or real: KubeVirt's own controllers in the remotes")
	flags.StringVar(&h.options.Operator, "operator", "bin/operator", "the operator's binary")
	flags.StringVar(&h.options.Plugins, "plugins", "bin/plugins", "the folder of its placement plugins")
	flags.StringVar(&h.options.Liar, "liar", "bin/liar", "the side-car that lies")
	flags.StringVar(&h.options.Upgrade, "upgrade", "", "another operator, which takes its place in the middle")
	flags.StringVar(&h.options.Logs, "logs", "", "a folder that keeps the operator's logs")
	flags.IntVar(&h.shrink, "shrink", defaultShrink, "how many schedules are played to shrink one that fails; 0 for none")
	flags.DurationVar(&h.shrinkTime, "shrink-time", defaultShrinkTime, "how long that may take")
	flags.StringVar(&h.failing, "failing", "chaos-failing.json", "where the shortest schedule that fails is written to")
	flags.BoolVar(&h.asJSON, "json", false, "print the results as JSON")
	flags.BoolVar(&h.print, "print", false, "print the schedule and play nothing")
	return cmd
}
