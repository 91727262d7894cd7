// Command fleet starts a supervisor cluster and remote KubeVirt clusters on this machine, and makes them misbehave.
//
// Every error is one line on standard error and exit status 2, and leaves nothing behind.
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	klog.SetLogger(logr.Discard()) // what goes wrong comes back as an error
	log.SetLogger(logr.Discard())
	if err := command().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errFailed) {
			fmt.Fprintln(os.Stderr, "fleet:", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		os.Exit(2)
	}
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:               "fleet",
		Short:             "Start a supervisor and remote KubeVirt clusters on this machine, and make them misbehave",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	var dir string
	root.PersistentFlags().StringVar(&dir, "dir", "", "folder of the fleet (required)")
	_ = root.MarkPersistentFlagRequired("dir")
	root.AddCommand(upCommand(&dir), downCommand(&dir), statusCommand(&dir))
	root.AddCommand(clusterCommands(&dir)...)
	return root
}
