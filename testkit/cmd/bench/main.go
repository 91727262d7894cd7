// Command bench measures what the operator's promises cost: calls, by audit logs; times, against a
// bare loop that makes the same calls and knows nothing; heap and leaks. A row is "NAME VALUE BOUND
// PASS|MISS". Where a row that ends in against-itself is far from 1, the machine was too busy for
// the times beside it to mean anything.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/timed"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
)

func main() { os.Exit(command.Run(newCommand())) }

func newCommand() *cobra.Command {
	o, json := bench.Options{}, ""
	cmd := &cobra.Command{
		Use:           "bench",
		Short:         "Measure what the operator costs, against a bare loop and by audit logs",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := check(o); err != nil {
				return err
			}
			o.Progress = cmd.ErrOrStderr()
			if json != "" {
				o.Keep = func(run *report.Run) error { return run.Save(json) }
			}
			run, err := bench.Run(cmd.Context(), o)
			return errors.Join(err, run.Text(cmd.OutOrStdout()))
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Rows, "row", nil, "measure this row alone, or this group of rows; can be repeated")
	flags.StringVar(&json, "json", "",
		"also write the rows into this file; those of former runs in it stay, unless they are measured anew")
	flags.StringVar(&o.Operator, "operator", "bin/operator", "the operator's binary, with its plugins beside it")
	flags.StringVar(&o.Source, "source", ".", "the folder of the repository, whose Go benchmarks are run")
	flags.StringVar(&o.Scale, "scale", "", "take the rows of a run of scale from this file")
	flags.IntVar(&o.Timed.Machines, "machines", 300,
		"Machines a round, over three clusters; a third more where a fourth is in trouble")
	flags.IntVar(&o.Timed.Pairs, "pairs", 7, "rounds of each kind")
	flags.IntVar(&o.Timed.Changes, "changes", 60, "guests that change, for the latency of the status")
	flags.IntVar(&o.Counts.Machines, "counted", 30, "Machines whose calls are counted")
	flags.DurationVar(&o.Counts.Rest, "rest", time.Minute, "how long Machines at rest are looked at")
	flags.DurationVar(&o.Counts.Failing, "failing", 4*time.Minute,
		"how long Machines that fail are looked at; 14m shows them backed off")
	flags.IntVar(&o.Restart.Machines, "restart-machines", 5000, "Machines over eight clusters, for the restart")
	flags.IntVar(&o.Restart.Changed, "restart-changed", 500, "guests that change while the operator is down")
	flags.IntVar(&o.Restart.Turns, "restarts", 3, "restarts of the operator")
	flags.DurationVar(&o.Within, "within", 90*time.Minute, "how long all of it may take")
	return cmd
}

// check refuses sizes that measure nothing.
func check(o bench.Options) error {
	if o.Timed.Machines < timed.Involved || o.Timed.Pairs < 1 || o.Timed.Changes < 2 || o.Counts.Machines < 1 {
		return fmt.Errorf("want at least %d machines, one pair, two changes and one counted Machine", timed.Involved)
	}
	if o.Restart.Turns < 1 || o.Restart.Changed < 1 || o.Restart.Changed > o.Restart.Machines {
		return errors.New("want at least one restart, and from one to all Machines that change meanwhile")
	}
	if o.Counts.Rest <= 0 || o.Counts.Failing < 10*time.Second {
		return errors.New("want a time of rest, and ten seconds of failing at least")
	}
	return nil
}
