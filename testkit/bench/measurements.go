package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/counts"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/gobench"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/timed"
)

// kind is what a measurement is made on.
type kind int

const (
	none    kind = iota // no fleet
	audited             // four remotes with audit logs, and guests that run
	quick               // four remotes without anything that takes time from those who are compared
	large               // eight remotes
)

// measurement makes some rows.
type measurement struct {
	// name is what --row takes, beside those of rows.
	name string
	rows []string
	on   kind
	// measure makes the rows, or some of them where others are not wanted.
	measure func(ctx context.Context, r *runner) ([]report.Row, error)
}

// measurements is the list of all, in the order in which they are told.
func measurements() []measurement {
	return []measurement{
		{"writes", []string{counts.RowSupervisorWrites, counts.RowRemoteWrites}, audited, counted((*counts.Bench).Writes)},
		{"looks", []string{counts.RowLooksFresh, counts.RowLooksSearch, counts.RowLooksNotFresh}, audited,
			counted((*counts.Bench).Looks)},
		{"rest", []string{counts.RowRest}, audited, counted((*counts.Bench).Rest)},
		{"failing", []string{counts.RowFailing, counts.RowBacked}, audited, counted((*counts.Bench).Failing)},
		{"rotation", []string{counts.RowRelists, counts.RowFailedReconciles}, audited, counted((*counts.Bench).Rotation)},
		{"creation", []string{timed.RowBare, timed.RowCreation}, quick,
			func(ctx context.Context, r *runner) ([]report.Row, error) { return r.timed.Creation(ctx) }},
		{"status", []string{timed.RowBareStatus, timed.RowStatus}, quick,
			func(ctx context.Context, r *runner) ([]report.Row, error) { return r.timed.Latency(ctx) }},
		{"one-of-four", []string{timed.RowHealthy, timed.RowBlackHoled, timed.RowRefusing}, quick, oneOfFour},
		{"heap", []string{gobench.RowPair, gobench.RowConnection}, none, benchmarked(gobench.Heap)},
		{"placement", []string{gobench.RowPlacement}, none, benchmarked(gobench.Placement)},
		{"leaks", []string{gobench.RowGoroutines, gobench.RowTransports, gobench.RowFiles, gobench.RowHeap}, none,
			benchmarked(gobench.Leaks)},
		{"restart", []string{timed.RowFirst, timed.RowAllTrue}, large,
			func(ctx context.Context, r *runner) ([]report.Row, error) {
				return timed.Restart(ctx, r.stage, r.Restart)
			}},
		{"scale", scaleRows, none, scale},
	}
}

// scaleRows are the rows of `make scale`, which measures stand-ins of many clusters.
var scaleRows = []string{"scale-heap", "scale-cpu-at-rest", "scale-status-p99"}

// scale takes the rows of `make scale` from its file: they take longer than all others together.
func scale(_ context.Context, r *runner) (rows []report.Row, err error) {
	if r.Scale == "" {
		fmt.Fprintf(r.Progress, "\n%s: `make scale` measures them; see --scale\n", strings.Join(scaleRows, ", "))
		return nil, nil
	}
	run, err := report.Load(r.Scale)
	if err != nil {
		return nil, err
	}
	for _, name := range scaleRows {
		at := slices.IndexFunc(run.Rows, func(row report.Row) bool { return row.Name == name })
		if at < 0 {
			return rows, fmt.Errorf("%s has no row %s", r.Scale, name)
		}
		rows = append(rows, run.Rows[at])
	}
	return rows, nil
}

func counted(
	measure func(*counts.Bench, context.Context) ([]report.Row, error),
) func(context.Context, *runner) ([]report.Row, error) {
	return func(ctx context.Context, r *runner) ([]report.Row, error) {
		return measure(&counts.Bench{Stage: r.stage, Sizes: r.Counts}, ctx)
	}
}

func benchmarked(
	measure func(context.Context, gobench.Source) ([]report.Row, error),
) func(context.Context, *runner) ([]report.Row, error) {
	return func(ctx context.Context, r *runner) ([]report.Row, error) {
		return measure(ctx, gobench.Source{Dir: r.Source, Progress: r.Progress})
	}
}

// oneOfFour leaves out the rounds of a row that is not wanted.
func oneOfFour(ctx context.Context, r *runner) ([]report.Row, error) {
	return r.timed.Trouble(ctx, func(row string) bool {
		return r.wants(measurement{name: "one-of-four"}, row)
	})
}

// choose returns the measurements with the wanted rows; all where none is named.
func choose(wanted []string) (chosen []measurement, err error) {
	var names []string
	left := slices.Clone(wanted)
	for _, each := range measurements() {
		own := append([]string{each.name}, each.rows...)
		names = append(names, own...)
		before := len(left)
		left = slices.DeleteFunc(left, func(name string) bool { return slices.Contains(own, name) })
		if len(wanted) == 0 || len(left) < before {
			chosen = append(chosen, each)
		}
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("no such row: %s; there are %s", strings.Join(left, ", "), strings.Join(names, ", "))
	}
	return chosen, nil
}
