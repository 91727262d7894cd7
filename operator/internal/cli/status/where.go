package status

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func whereCommand() *cobra.Command {
	var s reach.Subject
	cmd := &cobra.Command{
		Use:   "where (NAME | NAMESPACE/NAME)",
		Short: "Say in one line which cluster a Machine is in, and as which VirtualMachine",
		Long: "Say in one line which cluster a Machine is in, and as which VirtualMachine: CLUSTER NAMESPACE/NAME, for\n" +
			"people and scripts. That it is being moved is said beside that, on the other stream. It ends with 1 where the\n" +
			"Machine has no place.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			supervisor, key, err := s.Open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			machine, err := reach.Machine(cmd.Context(), supervisor, key)
			if err != nil {
				return err
			}
			ledger, err := reach.Place(machine)
			if err != nil {
				return exit.No(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %s/%s\n", ledger.Config, ledger.Namespace, ledger.VMName)
			if way := moving(machine); way != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "It is being moved: %s.\n", way)
			}
			return nil
		},
	}
	s.Add(cmd.Flags())
	return cmd
}
