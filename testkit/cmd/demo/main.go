// Command demo shows the whole thing at work on this machine: a supervisor and three remote clusters with KubeVirt, the operator, and
// Machines that become virtual machines.
//
// With --ci it checks what it shows, measures, and ends: exit status 0 if all is as it should be, 1 if not.
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
		fmt.Fprintln(os.Stderr, "demo:", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}

func command() *cobra.Command {
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
	cmd.Flags().StringVar(&d.kubectl, "kubectl", "bin/kubectl", "the kubectl to measure with and to name in what to try next")
	cmd.Flags().BoolVar(&d.ci, "ci", false, "check, measure and end")
	return cmd
}
