package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/host/replay"
)

// Program is the command line of the program that was called by this path: of kubectl's plugin, or
// of the operator.
func Program(path string) *cobra.Command {
	root := operator()
	if name := filepath.Base(path); strings.TrimSuffix(name, ".exe") == pluginName {
		root = forPeople()
	}
	root.SetOut(terminal.New(os.Stdout))
	root.SetErr(terminal.New(os.Stderr))
	root.Version = version()
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	return root
}

// operator is the operator with its sub-commands.
func operator() *cobra.Command {
	root := app.Command()
	root.AddCommand(Commands()...)
	return root
}

// Commands are the sub-commands of the operator.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		orphansCommand(entry{}), releaseCommand(entry{}), explainCommand(entry{}), answering(replay.Command()),
	}
}

// answering makes a command one that answers with its exit code: a Machine without a place is told
// in its output.
func answering(cmd *cobra.Command) *cobra.Command {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if errors.Is(err, placementhost.ErrUndecided) {
			return exit.Told(err, exit.Negative)
		}
		return err
	}
	return cmd
}
