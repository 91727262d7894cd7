package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/bench/counts"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/timed"
)

// Options say what is measured, and how much of it. No field has a default here: the command line
// has them.
type Options struct {
	// Operator is the operator's binary, with its plugins beside it.
	Operator string
	// Source is the folder of the repository, whose Go benchmarks are run.
	Source string
	// Scale is a file with the rows of `make scale`; "" leaves them out.
	Scale string
	// Rows are the rows that are wanted, by their names or by those of their measurements; none means
	// all.
	Rows []string
	// Timed, Counts and Restart are the sizes.
	Timed   timed.Sizes
	Counts  counts.Sizes
	Restart timed.RestartSizes
	// Keep gets the run whenever a measurement has made rows: a long run that is ended has kept them.
	// nil keeps nothing.
	Keep func(run *report.Run) error
	// Within bounds the whole.
	Within time.Duration
	// Progress gets what happens. It must not be nil.
	Progress io.Writer
}

// runner is one run.
type runner struct {
	Options
	stage *stage.Stage
	kind  kind
	timed *timed.Bench
	run   *report.Run
}

// Run makes the measurements that are wanted. Rows are returned also where there is an error.
func Run(ctx context.Context, options Options) (_ *report.Run, err error) {
	r := &runner{Options: options, run: report.NewRun()}
	chosen, err := choose(options.Rows)
	if err != nil {
		return r.run, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Within, fmt.Errorf("not done within %s: see --within", r.Within))
	defer cancel()
	defer func() { err = errors.Join(err, r.leave(context.WithoutCancel(ctx))) }()
	for _, each := range chosen {
		if ctx.Err() != nil {
			return r.run, errors.Join(err, context.Cause(ctx))
		}
		if failed := r.make(ctx, each); failed != nil {
			fmt.Fprintf(r.Progress, "\n%s did not come to its end: %v\n", each.name, failed)
			err = errors.Join(err, fmt.Errorf("%s: %w", each.name, failed))
			err = errors.Join(err, r.leave(context.WithoutCancel(ctx))) // it may be in any state
		}
	}
	return r.run, err
}

// make makes one measurement and keeps the rows of it that are wanted, those of noise always.
func (r *runner) make(ctx context.Context, m measurement) error {
	if err := r.enter(ctx, m.on); err != nil {
		return err
	}
	rows, err := m.measure(ctx, r)
	for _, row := range rows {
		if row.Noise || r.wants(m, row.Name) {
			r.run.Rows = append(r.run.Rows, row)
			fmt.Fprintf(r.Progress, "  %s\n", row)
		}
	}
	if r.stage != nil {
		err = errors.Join(err, r.stage.Exited())
	}
	if r.Keep != nil {
		err = errors.Join(err, r.Keep(r.run))
	}
	return err
}

// wants says whether a row was asked for, by its name or by that of its measurement.
func (r *runner) wants(m measurement, row string) bool {
	return len(r.Rows) == 0 || slices.Contains(r.Rows, row) || slices.Contains(r.Rows, m.name)
}

// enter starts the stage that a measurement needs, unless it is there.
func (r *runner) enter(ctx context.Context, on kind) (err error) {
	if r.kind == on {
		return nil
	}
	if err := r.leave(ctx); err != nil {
		return err
	}
	options := stage.Options{Operator: r.Operator, Progress: r.Progress}
	switch on {
	case none:
		return nil
	case audited:
		options.Remotes, options.Audit = counts.Remotes, true
	case quick:
		options.Remotes = timed.Involved + 1
	case large:
		options.Remotes = timed.RestartRemotes
	}
	if r.stage, err = stage.Start(ctx, options); err != nil {
		return err
	}
	r.kind = on
	if on == quick {
		r.timed, err = timed.New(ctx, r.stage, r.Timed)
	}
	return err
}

// leave stops the stage, if there is one.
func (r *runner) leave(ctx context.Context) error {
	if r.stage == nil {
		return nil
	}
	s := r.stage
	r.stage, r.timed, r.kind = nil, nil, none
	return s.Stop(ctx)
}
