package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
)

func debtsCommand() *cobra.Command {
	var way reach.Flags
	cmd := &cobra.Command{
		Use:   "debts",
		Short: "List what is still to be deleted in clusters that did not answer",
		Long: "List what is still to be deleted in clusters that did not answer: virtual machines of Machines that were\n" +
			"let go with vitistack.io/force-release and delete-later. The operator deletes them when the cluster answers.\n" +
			"For two minutes it also lists Machines that were deleted before their virtual machine was seen: a call that\n" +
			"was cut off may still create it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			return debts(cmd.Context(), supervisor, cmd.OutOrStdout())
		},
	}
	way.Add(cmd.Flags())
	return cmd
}

func debts(ctx context.Context, supervisor *reach.Supervisor, out io.Writer) error {
	if _, err := supervisor.Configs(ctx); err != nil {
		return err
	}
	all, err := removal.Book{Server: supervisor.Client, Namespace: supervisor.Namespace}.Debts(ctx)
	if err != nil {
		return fmt.Errorf("reading the debts: %w", err)
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "Nothing is owed to any cluster.")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tVIRTUAL MACHINE\tUID\tMACHINE\tDISKS")
	for _, debt := range all {
		owed := debt.Ledger
		fmt.Fprintf(table, "%s\t%s/%s\t%s\t%s\t%d\n", owed.Config, owed.Namespace, owed.VMName, owed.VMUID, debt.Machine,
			len(debt.Disks))
	}
	return table.Flush()
}
