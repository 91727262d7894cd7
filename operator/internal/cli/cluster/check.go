package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// verdict is the answer of one check.
type verdict string

const (
	good    verdict = "ok"
	warning verdict = "warning" // it works, and something will not
	bad     verdict = "no"
	unknown verdict = "unknown"
	off     verdict = "off" // nobody needs it who does not use it
)

// result is what one check found.
type result struct {
	what    string
	verdict verdict
	text    string
}

func checkCommand() *cobra.Command {
	var way reach.Flags
	var kubeconfig, kubeContext string
	cmd := &cobra.Command{
		Use:   "check (NAME | --kubeconfig FILE [--context CONTEXT])",
		Short: "Look whether a remote cluster has what the operator needs",
		Long: "Look whether a remote cluster has what the operator needs: rights, KubeVirt, CDI, storage classes, Multus,\n" +
			"definitions, the time that an answer takes, and the clock; and whether Machines can be moved. With NAME it\n" +
			"asks as the operator does, with the kubeconfig of the KubevirtConfig; with --kubeconfig as you, before the\n" +
			"cluster is added. It changes nothing.\n" +
			"It ends with 0 where all is well, 1 where something is not, and 3 where something could not be told.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (kubeconfig != "") {
				return errors.New("want either NAME or --kubeconfig FILE")
			}
			subject, err := checked(cmd.Context(), &way, args, kubeconfig, kubeContext)
			if err != nil {
				return err
			}
			results := subject.look(cmd.Context())
			if err := show(cmd.OutOrStdout(), results); err != nil {
				return err
			}
			return exit.Said(codeOf(results))
		},
	}
	way.AddBeside(cmd.Flags())
	addRemote(cmd.Flags(), &kubeconfig, &kubeContext)
	return cmd
}

// checked is the cluster to look at, and as whom.
func checked(ctx context.Context, way *reach.Flags, args []string, kubeconfig, kubeContext string) (*subject, error) {
	objects, err := access()
	if err != nil {
		return nil, err
	}
	if kubeconfig != "" {
		remote, err := reach.Open(kubeconfig, kubeContext)
		if err != nil {
			return nil, err
		}
		return &subject{name: "remote", remote: remote, whose: "your", needed: toLetIn(account(objects).Namespace)}, nil
	}
	given, err := rules(objects)
	if err != nil {
		return nil, err
	}
	supervisor, err := way.Open(ctx)
	if err != nil {
		return nil, err
	}
	config, err := supervisor.KubevirtConfig(ctx, args[0])
	if err != nil {
		return nil, err
	}
	remote, err := supervisor.Remote(ctx, config)
	if err != nil {
		return nil, err
	}
	forMoves, err := moveRights()
	return &subject{
		name: config.Name, remote: remote, whose: "the operator's", needed: rightsOf(given), identity: identityOf(config),
		forMoves: forMoves,
	}, err
}

// show prints the results as a table.
func show(out io.Writer, results []result) error {
	signs := map[verdict]string{good: "✓", warning: "!", bad: "✗", unknown: "?", off: "·"}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, each := range results {
		fmt.Fprintf(table, "%s %s\t%s\n", signs[each.verdict], each.what, each.text)
	}
	return table.Flush()
}

// codeOf is the exit code for results. A warning is something found too.
func codeOf(results []result) int {
	code := exit.Fine
	for _, each := range results {
		switch each.verdict {
		case bad, warning:
			return exit.Negative
		case unknown:
			code = exit.Partial
		case good, off:
		}
	}
	return code
}
