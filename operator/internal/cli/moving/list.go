package moving

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

func movesCommand() *cobra.Command {
	var way reach.Flags
	var namespace string
	var all bool
	cmd := &cobra.Command{
		Use:   "moves",
		Short: "List the moves that are under way, of all namespaces",
		Long: "List the moves that are under way, of all namespaces; with --all, those that are over too. It ends with 1\n" +
			"where one of them stands still until a person acts.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			supervisor, err := way.Open(cmd.Context())
			if err != nil {
				return err
			}
			return list(cmd.Context(), supervisor, namespace, all, cmd.OutOrStdout())
		},
	}
	way.Add(cmd.Flags())
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "of this namespace alone")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also those that are over")
	return cmd
}

func list(ctx context.Context, supervisor client.Reader, namespace string, all bool, out io.Writer) error {
	found := &vitistackv1alpha1.MachineMoveList{}
	if err := supervisor.List(ctx, found, client.InNamespace(namespace)); err != nil {
		return explained("listing MachineMoves", err)
	}
	moves := slices.DeleteFunc(found.Items, func(move vitistackv1alpha1.MachineMove) bool {
		return !all && move.Status.Phase.Over()
	})
	if len(moves) == 0 {
		fmt.Fprintln(out, "No move is under way.")
		return nil
	}
	code, now := exit.Fine, time.Now()
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "MACHINE\tMOVE\tFROM\tTO\tPHASE\tCOPIED\tAGE\tWHAT IT SAYS")
	for i := range moves {
		move := &moves[i]
		status, says := move.Status, "-"
		if ready := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionReady); ready != nil {
			says = ready.Reason + ": " + strings.Join(strings.Fields(ready.Message), " ")
		}
		if still, _ := standsStill(status.Conditions, 0); still && !status.Phase.Over() {
			code = exit.Negative
		}
		fmt.Fprintf(table, "%s/%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", move.Namespace, move.Spec.MachineName, move.Name,
			cmp.Or(status.From, "-"), cmp.Or(status.To, move.Spec.To, "-"),
			cmp.Or(status.Phase, vitistackv1alpha1.MovePhasePending), cmp.Or(status.Progress, "-"),
			duration.HumanDuration(now.Sub(move.CreationTimestamp.Time)), says)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return exit.Said(code)
}
