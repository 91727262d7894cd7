// Command scale measures what clusters and Machines cost the operator, at several sizes, and prints
// a table, the formula that follows from it, and the numbers that have a bound: "NAME VALUE BOUND
// PASS|MISS".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale"
	"github.com/vitistack/kubevirt-multicluster/testkit/scale/figures"
)

func main() { os.Exit(command.Run(newCommand())) }

// run is one run of the command.
type run struct {
	clusters, real, machines []int
	options                  scale.Options
	file, picture            string
	out                      io.Writer
}

func newCommand() *cobra.Command {
	r := &run{}
	cmd := &cobra.Command{
		Use:           "scale",
		Short:         "Measure what clusters and Machines cost the operator",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.out, r.options.Progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return r.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.IntSliceVar(&r.clusters, "clusters", []int{1, 8, 10, 100, 1000},
		"numbers of clusters that are stand-ins; 0 for none")
	flags.IntSliceVar(&r.real, "real", []int{1, 8}, "numbers of clusters that are real, at most 8; 0 for none")
	flags.IntSliceVar(&r.machines, "machines", []int{1000, 5000, 10000, 20000}, "numbers of Machines")
	flags.StringVar(&r.options.Operator, "operator", "bin/operator", "the operator's binary, with its plugins beside it")
	flags.StringSliceVar(&r.options.Args, "operator-args", nil, "further arguments of the operator")
	flags.StringVar(&r.options.Log, "log", "", "file that the operator's output is added to (default: none is kept)")
	flags.IntVar(&r.options.Samples, "samples", 100, "Machines that are created, and guests that change, one by one")
	flags.DurationVar(&r.options.Rest, "rest", 130*time.Second, "how long the operator is watched at rest")
	flags.StringVar(&r.file, "json", "",
		"file that keeps what was measured; a run adds its sizes to those of earlier runs")
	flags.StringVar(&r.picture, "picture", "", "SVG file of the table")
	return cmd
}

// run measures size by size. What was measured is kept and printed also where a later size did not
// come to its end.
func (r *run) run(ctx context.Context) (err error) {
	table := &figures.Table{}
	if r.file != "" {
		if err := table.Load(r.file); err != nil {
			return err
		}
	}
	table.Machine = fmt.Sprintf("%d processors, %s", runtime.NumCPU(), runtime.Version())
	defer func() { err = errors.Join(err, r.print(table)) }()
	slices.Sort(r.machines)
	for _, kind := range []figures.Kind{figures.Real, figures.StandIn} {
		for _, clusters := range map[figures.Kind][]int{figures.Real: r.real, figures.StandIn: r.clusters}[kind] {
			if clusters == 0 {
				continue
			}
			options := r.options
			options.Clusters, options.Kind = clusters, kind
			if err := r.grow(ctx, table, options); err != nil {
				return fmt.Errorf("%d clusters (%s): %w", clusters, kind, err)
			}
		}
	}
	return nil
}

// grow measures all numbers of Machines with one number of clusters.
func (r *run) grow(ctx context.Context, table *figures.Table, options scale.Options) (err error) {
	world, err := scale.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Stop()) }()
	for _, machines := range r.machines {
		cell, err := world.Measure(ctx, machines)
		if err != nil {
			return err
		}
		table.Put(cell)
		if r.file == "" {
			continue
		}
		if err := table.Save(r.file); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) print(table *figures.Table) error {
	if err := table.Text(r.out); err != nil {
		return err
	}
	for _, row := range table.Rows() {
		fmt.Fprintln(r.out, row)
	}
	if r.picture == "" {
		return nil
	}
	return table.Picture(r.picture)
}
