// Command bench measures the operator against a bare loop that makes the same calls and knows nothing: what do its promises cost? All of it
// runs on one fleet, in turn, in one run; ratios of medians are printed, because times on a shared machine are noise.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() { os.Exit(run()) }

// run returns the exit status.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	klog.SetLogger(logr.Discard()) // what goes wrong comes back as an error
	log.SetLogger(logr.Discard())
	if err := command().ExecuteContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}

func command() *cobra.Command {
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
