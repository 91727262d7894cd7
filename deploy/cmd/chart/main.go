// Command chart writes the copies in the chart of deploy/chart, and packages it. It runs in the
// folder deploy.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
)

func main() {
	if err := command().Execute(); err != nil {
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{Use: "chart", Short: "write and package the Helm chart", SilenceUsage: true}
	root.AddCommand(&cobra.Command{
		Use: "copies", Short: "write the files of the chart that are copies of others", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return chart.WriteCopies("..", "chart") },
	}, &cobra.Command{
		Use: "package FOLDER", Short: "write the chart as an archive", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			loaded, err := chart.Load("chart")
			if err != nil {
				return err
			}
			path, err := chart.Package(loaded, args[0])
			if err == nil {
				fmt.Fprintln(command.OutOrStdout(), path)
			}
			return err
		},
	})
	return root
}
