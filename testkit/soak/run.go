package soak

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
)

const (
	// remotes of the fleet.
	remotes = 3
	// lull is how long a trouble is not over yet: connections come back, and work that waited is done.
	lull = 10 * time.Second
)

// Options say how long, how much, and how badly. All but WarmUp and Seed must be set.
type Options struct {
	// Operator is the operator's binary, with its plugins beside it.
	Operator string
	// Time is how long Machines come and go. The first WarmUp of it is not judged; 0 means a fifth.
	Time, WarmUp time.Duration
	// Machines there are at any time, and Churn is how many of them change a second.
	Machines int
	Churn    float64
	// FaultsEach is the time from one trouble to the next, Sample that from one sample to the next.
	FaultsEach, Sample time.Duration
	// Seed draws changes and troubles.
	Seed uint64
	// Progress gets what happens.
	Progress io.Writer
}

// Result is what a run showed.
type Result struct {
	// Report has the rows.
	Report *report.Run `json:"report"`
	// Samples and Troubles are those of the run.
	Samples  []Sample   `json:"samples"`
	Troubles []happened `json:"troubles"`
	// Changes are counted by their kind; Refused are those that the supervisor did not take.
	Changes map[string]int `json:"changes"`
	Refused int            `json:"refused"`
}

// Save writes the result into a file, as JSON.
func (r *Result) Save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // figures that all may read
}

// run is one run.
type run struct {
	Options
	stage *stage.Stage
	churn *churn
	began time.Time
	// awaited is how many Machines there are to be, told when somebody was last told what is waited for,
	// and other a Machine that is waited for.
	awaited int
	told    time.Time
	other   *vitistackv1alpha1.Machine

	mu     sync.Mutex
	locked lockedState
}

// lockedState is guarded by run.mu.
type lockedState struct {
	result Result
	// broken says that there is a trouble; mended is when the last one ended.
	broken bool
	mended time.Time
}

// Run makes one run, and judges it. What was sampled is in the result beside an error, too. The error
// is ErrTooFew, or says what broke that should not: an operator that ends, for example.
func Run(ctx context.Context, options Options) (_ *Result, err error) {
	options.WarmUp = cmp.Or(options.WarmUp, options.Time/5)
	r := &run{Options: options}
	r.locked.result.Report = report.NewRun()
	r.stage, err = stage.Start(ctx, stage.Options{
		Operator: options.Operator, Remotes: remotes, Terminate: true, Progress: options.Progress,
	})
	if err != nil {
		return &r.locked.result, err
	}
	defer func() { err = errors.Join(err, r.stage.Stop(context.WithoutCancel(ctx))) }()
	if err := r.fill(ctx); err != nil {
		return &r.locked.result, fmt.Errorf("before the churn: %w", err)
	}
	err = r.work(ctx)
	r.locked.result.Changes, r.locked.result.Refused = r.churn.done, r.churn.failed
	if err != nil {
		return &r.locked.result, err
	}
	rows, err := Judge(r.locked.result.Samples, r.WarmUp.Seconds())
	r.locked.result.Report.Rows = append(rows, r.converge(ctx)...)
	return &r.locked.result, err
}

// fill makes all Machines, and waits until they are as they should be.
func (r *run) fill(ctx context.Context) error {
	if err := r.stage.MakeNamespaces(ctx, namespace); err != nil {
		return err
	}
	r.churn = &churn{stage: r.stage, random: rand.New(rand.NewPCG(r.Seed, 1)), done: map[string]int{}}
	for _, cluster := range r.stage.Fleet.Remotes {
		r.churn.clusters = append(r.churn.clusters, cluster.Name)
	}
	began := time.Now()
	// One in each cluster comes first. Machines that are made before an operator is connected are not
	// fresh, and each of them has it look into all clusters.
	for _, r.awaited = range []int{min(remotes, r.Machines), r.Machines} {
		if err := r.churn.fill(ctx, r.awaited-len(r.churn.names)); err != nil {
			return err
		}
		if err := r.stage.UntilWithin(ctx, fillPatience, r.asAsked); err != nil {
			return err
		}
	}
	r.stage.Say("%d Machines are as they should be after %s", r.Machines, time.Since(began).Round(time.Second))
	return nil
}

// work lets Machines come and go, breaks things, and samples.
func (r *run) work(ctx context.Context) error {
	r.began = time.Now()
	troubles := troublesOf(r.stage.Fleet, rand.New(rand.NewPCG(r.Seed, 2)))
	timed, stop := context.WithTimeout(ctx, r.Time)
	defer stop()
	working, timed := errgroup.WithContext(timed)
	working.Go(func() error { r.churn.run(timed, r.Churn); return nil })
	working.Go(func() error { return disturb(timed, troubles, r.FaultsEach, r.breaks, r.mends) })
	working.Go(func() error { return r.sample(timed) })
	return cmp.Or(working.Wait(), ctx.Err())
}

// sample takes a sample each time that its interval is over.
func (r *run) sample(ctx context.Context) error {
	for pause(ctx, r.Sample) {
		calm := r.calm()
		sizes, err := probe(ctx, r.stage)
		if ctx.Err() != nil {
			return nil
		}
		if _, ended := r.stage.PID(); ended != nil {
			return ended
		}
		if err != nil { // a machine that is too busy answers late
			r.stage.Say("%6.0f s  no sample: %v", r.at(), err)
			continue
		}
		s := Sample{At: r.at(), Calm: calm && r.calm(), Sizes: sizes}
		r.mu.Lock()
		r.locked.result.Samples = append(r.locked.result.Samples, s)
		r.mu.Unlock()
		r.stage.Say("%6.0f s  calm %-5v  heap %.1f MiB, %.0f goroutines, %.0f descriptors, %.0f sockets, resident %.0f MiB",
			s.At, s.Calm, sizes[Heap], sizes[Goroutines], sizes[Descriptors], sizes[Sockets], sizes[Resident])
	}
	return nil
}

// at is the time since the churn began, in seconds.
func (r *run) at() float64 { return time.Since(r.began).Seconds() }

// calm says whether nothing is broken, and nothing was a moment ago.
func (r *run) calm() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.locked.broken && time.Since(r.locked.mended) > lull
}

func (r *run) breaks(name string) {
	r.stage.Say("%6.0f s  %s", r.at(), name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locked.broken = true
	r.locked.result.Troubles = append(r.locked.result.Troubles, happened{Name: name, From: r.at()})
}

func (r *run) mends(string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locked.broken, r.locked.mended = false, time.Now()
	r.locked.result.Troubles[len(r.locked.result.Troubles)-1].To = r.at()
}
