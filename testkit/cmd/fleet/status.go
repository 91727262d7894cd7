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
			print, known := map[string]func(io.Writer, []fleet.Status) error{"": printStatus, "json": printJSON}[format]
			if !known {
				return fmt.Errorf("unknown output %q: want json", format)
			}
			var all []fleet.Status
			if err := ask(cmd.Context(), *dir, request{Action: "status"}, &all); err != nil {
				return err
			}
			return print(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "", "json, or a table where it is not given")
	return cmd
}

func printJSON(w io.Writer, all []fleet.Status) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(all)
}

func printStatus(w io.Writer, all []fleet.Status) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CLUSTER\tSTATE\tKUBEVIRT\tFAULT\tSERVER\tPROXY\tPROCESSES\tMEMORY")
	for _, s := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d MiB\n",
			s.Name, s.State, cmp.Or(s.KubeVirt, "-"), s.Fault, s.Server, s.Proxy, len(s.PIDs), s.MemoryMiB)
	}
	return table.Flush()
}
