package cluster

import (
	"github.com/spf13/cobra"
)

// Command is the command with all that can be done with a remote cluster.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Add, check, list, rotate and remove remote clusters",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(addCommand(), checkCommand(), listCommand(), rotateCommand(), removeCommand())
	return cmd
}
