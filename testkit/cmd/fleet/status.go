package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func statusCommand(dir *string) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the clusters of a running fleet",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []fleet.Status
			if err := ask(cmd.Context(), *dir, request{Action: "status"}, &all); err != nil {
				return err
			}
			switch format {
			case "":
				printStatus(cmd.OutOrStdout(), all)
				return nil
			case "json":
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(all)
			default:
				return fmt.Errorf("unknown output %q: want json", format)
			}
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "", "json, or a table where it is not given")
	return cmd
}

func printStatus(w io.Writer, all []fleet.Status) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tSTATE\tKUBEVIRT\tFAULT\tSERVER\tPROXY\tPROCESSES\tMEMORY")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d MiB\n", s.Name, s.State, cmp.Or(s.KubeVirt, "-"), s.Fault, s.Server, s.Proxy, len(s.PIDs), s.MemoryMiB)
	}
	_ = table.Flush()
}
