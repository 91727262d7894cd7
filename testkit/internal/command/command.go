// Package command runs the programs that show and measure the whole at a terminal.
package command

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

// Run runs a command until it ends, or until somebody interrupts it, and returns the exit status:
// 0, also after an interruption that was followed, or 1 with one line on standard error. Libraries
// do not log: what goes wrong comes back as an error.
func Run(cmd *cobra.Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	klog.SetLogger(logr.Discard())
	log.SetLogger(logr.Discard())
	if err := cmd.ExecuteContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, cmd.Name()+":", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	return 0
}
