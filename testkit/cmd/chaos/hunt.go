package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/chaos"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/command"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

const (
	defaultLength     = time.Minute
	defaultShrink     = 40
	defaultShrinkTime = time.Hour
)

// hunt is one run of the program.
type hunt struct {
	seed           uint64
	seeds          int
	length         time.Duration
	file, kubeVirt string
	options        chaos.Options
	shrink         int
	shrinkTime     time.Duration
	failing        string
	asJSON, print  bool
	out            io.Writer
}

// run plays everything that was asked for. It ends at the first schedule that fails.
func (h *hunt) run(ctx context.Context) (err error) {
	schedules, err := h.schedules()
	if err != nil {
		return err
	}
	if h.print {
		for _, schedule := range schedules {
			if err := schedule.Write(h.out); err != nil {
				return err
			}
		}
		return nil
	}
	switch h.kubeVirt {
	case "light":
		h.options.KubeVirt = kubevirt.Light
	case "real":
		h.options.KubeVirt = kubevirt.Real
	default:
		return fmt.Errorf("--kubevirt is %q: want light or real", h.kubeVirt)
	}
	arena, err := chaos.Open(ctx, h.options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, arena.Close()) }()
	for _, schedule := range schedules {
		fmt.Fprintf(h.options.Progress, "seed %d: %d steps\n", schedule.Seed, len(schedule.Steps))
		result, err := arena.Run(ctx, schedule)
		if err != nil {
			return fmt.Errorf("seed %d: %w", schedule.Seed, err)
		}
		if err := h.tell(result); err != nil {
			return err
		}
		if len(result.Violations) > 0 {
			return h.findShortest(ctx, arena, result)
		}
	}
	return nil
}

// schedules are what is to be played.
func (h *hunt) schedules() ([]chaos.Schedule, error) {
	if h.file == "" {
		var all []chaos.Schedule
		for i := range h.seeds {
			all = append(all, chaos.Generate(h.seed+uint64(i), h.length))
		}
		return all, nil
	}
	file, err := os.Open(h.file)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	schedule, err := chaos.ReadSchedule(file)
	return []chaos.Schedule{schedule}, err
}

// tell prints how a run went.
func (h *hunt) tell(result chaos.Result) error {
	if h.asJSON {
		return json.NewEncoder(h.out).Encode(result)
	}
	done, not := 0, 0
	for _, count := range result.Done {
		done += count
	}
	for _, count := range result.NotDone {
		not += count
	}
	fmt.Fprintf(h.out, "seed %d: %d violations, %d steps done, %d not done, %.0f s\n",
		result.Schedule.Seed, len(result.Violations), done, not, result.Seconds)
	for _, violation := range result.Violations {
		fmt.Fprintf(h.out, "  %s\n", violation)
	}
	if len(result.Violations) > 0 {
		fmt.Fprintf(h.out, "  again: bin/chaos --seed %d --time %s --kubevirt %s\n",
			result.Schedule.Seed, result.Schedule.Time.Duration, h.kubeVirt)
	}
	return nil
}

// findShortest shrinks a schedule that failed, and writes what is left of it.
func (h *hunt) findShortest(ctx context.Context, arena *chaos.Arena, failed chaos.Result) error {
	shortest, err := failed.Schedule, error(nil)
	if h.shrink > 0 {
		shrinking, cancel := context.WithTimeout(ctx, h.shrinkTime)
		defer cancel()
		shortest, err = chaos.Shrink(shrinking, failed.Schedule, h.shrink, arena.FailsLike(failed))
		if err != nil && shrinking.Err() == nil {
			return err
		}
	}
	file, err := os.Create(h.failing)
	if err != nil {
		return err
	}
	if err := errors.Join(shortest.Write(file), file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(h.options.Progress, "the shortest schedule that fails has %d steps:\n", len(shortest.Steps))
	for _, step := range shortest.Steps {
		fmt.Fprintf(h.options.Progress, "  %s\n", step)
	}
	fmt.Fprintf(h.options.Progress, "again: bin/chaos --schedule %s --kubevirt %s\n", h.failing, h.kubeVirt)
	return fmt.Errorf("seed %d: %s: %w", failed.Schedule.Seed, failed.Violations[0].Invariant, command.ErrNotAsItShould)
}
