// Command soak lets the operator work for half an hour with a thousand Machines that come, change
// and go, while something breaks each minute, and says whether its process kept its size. A row is
// "NAME VALUE BOUND PASS|MISS"; it ends with 1 where one is MISS.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
	"github.com/vitistack/kubevirt-multicluster/testkit/soak"
)

func main() { os.Exit(command.Run(newCommand())) }

func newCommand() *cobra.Command {
	o, files := soak.Options{}, struct{ json, picture string }{}
	cmd := &cobra.Command{
		Use:           "soak",
		Short:         "See whether the operator keeps its size while Machines come and go and things break",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Machines < 1 || o.Churn <= 0 || o.FaultsEach < time.Second || o.Sample < time.Second || o.Time < time.Minute {
				return errors.New("want at least a Machine, some churn, a minute, and a second between faults and samples")
			}
			o.Progress = cmd.ErrOrStderr()
			result, err := soak.Run(cmd.Context(), o)
			err = errors.Join(err, result.Report.Text(cmd.OutOrStdout()))
			if files.json != "" {
				err = errors.Join(err, result.Save(files.json))
			}
			if files.picture != "" && len(result.Samples) > 0 {
				err = errors.Join(err, result.Draw(files.picture))
			}
			return errors.Join(err, missed(result))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Operator, "operator", "bin/operator", "the operator's binary, with its plugins beside it")
	flags.DurationVar(&o.Time, "time", 30*time.Minute, "how long Machines come and go")
	flags.DurationVar(&o.WarmUp, "warm-up", 0, "how much of that is not judged (default: a fifth)")
	flags.IntVar(&o.Machines, "machines", 1000, "Machines at any time, over three clusters")
	flags.Float64Var(&o.Churn, "churn", 3, "Machines that change, stop, start or are replaced a second")
	flags.DurationVar(&o.FaultsEach, "faults-each", time.Minute, "time from one fault to the next; it lasts a third of it")
	flags.DurationVar(&o.Sample, "sample", 10*time.Second, "time from one sample to the next")
	flags.Uint64Var(&o.Seed, "seed", 1, "draws changes and faults")
	flags.StringVar(&files.json, "json", "", "also write rows, samples and faults into this file")
	flags.StringVar(&files.picture, "svg", "", "also draw the samples into this file")
	return cmd
}

// missed is an error where a row misses its bound.
func missed(result *soak.Result) error {
	count := 0
	for _, row := range result.Report.Rows {
		if !row.Pass {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d rows miss their bound", command.ErrNotAsItShould, count)
}
