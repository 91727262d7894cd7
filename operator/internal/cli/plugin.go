package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/braking"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/cluster"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/guest"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/moving"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/render"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/report"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/restart"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/rolling"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/status"
)

// pluginName is what kubectl calls the program that is its sub-command machine.
const pluginName = "kubectl-machine"

// forPeople is kubectl machine: the verbs for people.
func forPeople() *cobra.Command {
	root := &cobra.Command{
		Use:   pluginName,
		Short: "Look after Machines and the clusters that they run in",
		Long: "Look after Machines and the clusters that they run in. Every command reads what you may read, and says\n" +
			"what is missing. Exit codes: 0 fine, 1 the answer is no or something was found, 2 wrong arguments or it\n" +
			"could not be done, 3 not everything could be looked at.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl machine"},
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddGroup(
		&cobra.Group{ID: "machine", Title: "A Machine:"},
		&cobra.Group{ID: "fleet", Title: "The clusters:"},
	)
	for _, each := range []struct {
		group    string
		commands []*cobra.Command
	}{
		{"machine", slices.Concat(status.Commands(), guest.Commands(), restart.Commands(), moving.MachineCommands(),
			braking.Commands(),
			[]*cobra.Command{whyCommand(), fitsCommand(person()), render.Command()})},
		{"fleet", slices.Concat([]*cobra.Command{cluster.Command(), orphansCommand(person()), debtsCommand(),
			releaseCommand(person()), report.Command(version()), rolling.Command()}, moving.ClusterCommands())},
	} {
		for _, cmd := range each.commands {
			cmd.GroupID = each.group
			root.AddCommand(cmd)
		}
	}
	return root
}

// whyCommand is explain under the name that people think of.
func whyCommand() *cobra.Command {
	cmd := explainMachineCommand(person())
	cmd.Use = "why (NAMESPACE/NAME | -f FILE)"
	return cmd
}

// person is the way in of who calls kubectl.
func person() entry { return entry{person: &reach.Flags{}} }
