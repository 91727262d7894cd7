// Command fleet starts a supervisor cluster and remote KubeVirt clusters on this machine, and makes
// them misbehave.
//
// Every error is one line on standard error and exit status 2, and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	cli "github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	klog.SetLogger(logr.Discard()) // what goes wrong comes back as an error
	log.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends this process at once
	os.Exit(run(ctx, command(fleet.Options{Moves: true}), os.Stderr))
}

// endings are the signals that take a fleet down. Under nohup a terminal that goes away is none.
func endings() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// run returns the exit status.
func run(ctx context.Context, cmd *cobra.Command, errorOutput io.Writer) int {
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		err = errInterrupted
	}
	if !errors.Is(err, errShown) {
		fmt.Fprintln(errorOutput, "fleet:", oneLine(err))
	}
	return 2
}

var (
	errInterrupted = errors.New("interrupted")
	errShown       = errors.New("shown already")
)

func oneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// command is the whole command line. A fleet has the options where the command line does not say
// otherwise.
func command(options fleet.Options) *cobra.Command {
	root := &cobra.Command{
		Use:                "fleet",
		Short:              "Start a supervisor and remote KubeVirt clusters on this machine, and make them misbehave",
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
		CompletionOptions:  cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	cli.Versioned(root)
	var dir string
	root.PersistentFlags().Var(&dirValue{dir: &dir}, "dir", "folder of the fleet (required)")
	_ = root.MarkPersistentFlagRequired("dir")
	root.AddCommand(upCommand(&dir, options), downCommand(&dir), statusCommand(&dir))
	root.AddCommand(clusterCommands(&dir)...)
	return root
}

// dirValue is a flag that is given once and names something.
type dirValue struct {
	dir *string
}

func (v *dirValue) String() string { return *v.dir }

func (*dirValue) Type() string { return "DIR" }

func (v *dirValue) Set(dir string) error {
	switch {
	case dir == "":
		return errors.New("a folder is required")
	case *v.dir != "":
		return errors.New("it is given twice")
	}
	*v.dir = dir
	return nil
}
