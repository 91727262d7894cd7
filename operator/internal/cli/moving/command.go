package moving

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
)

// MachineCommands are the commands about one Machine.
func MachineCommands() []*cobra.Command { return []*cobra.Command{moveCommand(), movesCommand()} }

// ClusterCommands are the commands about a cluster.
func ClusterCommands() []*cobra.Command {
	return []*cobra.Command{
		drainCommand(),
		cordonCommand("cordon", "Let a cluster take no new Machines; those that are there stay", true),
		cordonCommand("uncordon", "Let a cluster take new Machines again", false),
	}
}

// explained says what to do where the supervisor is older than this program.
func explained(doing string, err error) error {
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%s: the supervisor has no definition of moves: upgrade the operator and its definitions", doing)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
