package cli

import (
	"errors"

	"github.com/spf13/cobra"

	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/placement/host/replay"
)

// Commands are the sub-commands of the operator.
func Commands() []*cobra.Command {
	return []*cobra.Command{orphansCommand(), releaseCommand(), explainCommand(), answering(replay.Command())}
}

// ExitCode is what the program ends with after an error. Of explain and replay, 1 means that no
// cluster was decided on (placementhost.ErrUndecided) and 2 every other error. Of the other
// commands every error gives 1.
func ExitCode(err error) int {
	if _, unanswered := errors.AsType[unansweredError](err); unanswered {
		return 2
	}
	return 1
}

// unansweredError is why a command that answers with its exit code gave no answer.
type unansweredError struct{ error }

// Unwrap returns the error.
func (e unansweredError) Unwrap() error { return e.error }

// answering makes a command one that answers with its exit code.
func answering(cmd *cobra.Command) *cobra.Command {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err == nil || errors.Is(err, placementhost.ErrUndecided) {
			return err
		}
		return unansweredError{err}
	}
	return cmd
}
