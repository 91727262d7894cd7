// Package command runs the programs that show and measure the whole at a terminal.
package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// ErrNotAsItShould is in the chain of an answer: what the command looked at is not as it should be.
var ErrNotAsItShould = errors.New("not as it should be")

// The exit statuses, those of docs/exit-codes.md.
const (
	negative = 1
	broken   = 2
)

// Run runs a command until it ends, or until somebody interrupts it, and returns the exit status: 0,
// also after an interruption that was followed, 1 where the error is ErrNotAsItShould, and 2 for
// every other. An error is one line on standard error. Libraries do not log: what goes wrong comes
// back as an error.
func Run(cmd *cobra.Command) int {
	Versioned(cmd)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	klog.SetLogger(logr.Discard())
	log.SetLogger(logr.Discard())
	if err := cmd.ExecuteContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, cmd.Name()+":", strings.ReplaceAll(err.Error(), "\n", "; "))
		if errors.Is(err, ErrNotAsItShould) {
			return negative
		}
		return broken
	}
	return 0
}

// Versioned gives a command the flag --version, which prints the version of the module that the
// program was built from, and of Go.
func Versioned(cmd *cobra.Command) {
	own := ""
	if info, known := debug.ReadBuildInfo(); known {
		own = info.Main.Version
	}
	cmd.Version = cmp.Or(own, "(devel)") + " " + runtime.Version()
	cmd.SetVersionTemplate("{{.Name}} {{.Version}}\n")
}
