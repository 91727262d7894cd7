// Command demo shows the whole thing at work on this machine: a supervisor and three remote
// clusters with KubeVirt, the operator, and Machines that become virtual machines.
//
// With --ci it checks what it shows, measures, and ends: exit status 0 if all is as it should be, 1
// if not, and 2 if it could not be tried.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
)

func main() { os.Exit(command.Run(newCommand())) }

func newCommand() *cobra.Command {
	d := &demo{}
	cmd := &cobra.Command{
		Use:           "demo",
		Short:         "Show Machines becoming virtual machines in remote clusters",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&d.operator, "operator", "bin/operator", "the operator's binary, with its plugins beside it")
	cmd.Flags().StringVar(&d.kubectl, "kubectl", "bin/kubectl",
		"the kubectl to measure with and to name in what to try next")
	cmd.Flags().BoolVar(&d.ci, "ci", false, "check, measure and end")
	return cmd
}
