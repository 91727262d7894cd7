// Command release makes everything that a release of the repository publishes, and publishes
// nothing. It runs in the folder deploy of a clone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/plan"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var folder string
	var platforms []string
	var planOnly bool
	root := &cobra.Command{
		Use: "release", Short: "write the files of a release, and say which tags to make",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			options := release.Options{Clone: "..", Folder: folder}
			for _, text := range platforms {
				platform, err := release.ParsePlatform(text)
				if err != nil {
					return err
				}
				options.Platforms = append(options.Platforms, platform)
			}
			run := func() (*plan.Plan, error) { return release.Write(command.Context(), options) }
			if planOnly {
				run = func() (*plan.Plan, error) { return plan.Make(command.Context(), options.Clone) }
			}
			planned, err := run()
			if err != nil {
				return err
			}
			for _, module := range planned.Released() {
				fmt.Fprintf(command.OutOrStdout(), "%s: %s\n", module.Tag(), module.Why())
			}
			return nil
		},
	}
	flags := root.Flags()
	flags.StringVar(&folder, "output", "../dist/release", "folder for the files, which must be empty or absent")
	flags.StringSliceVar(&platforms, "platform", nil, "platforms such as linux/amd64 (default: all)")
	flags.BoolVar(&planOnly, "plan", false, "say which tags to make, and write nothing")
	return root
}
