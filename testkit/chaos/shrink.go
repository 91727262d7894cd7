package chaos

import (
	"context"
	"slices"
)

// Shrink returns the shortest schedule that it finds by leaving steps out of one that fails, and
// that still fails (delta debugging, after Zeller). It plays at most a number of schedules, and ends
// early, with what it has, when ctx ends. An error of fails ends it too.
func Shrink(
	ctx context.Context, schedule Schedule, most int, fails func(context.Context, Schedule) (bool, error),
) (Schedule, error) {
	for parts := 2; len(schedule.Steps) > 1 && parts <= len(schedule.Steps); {
		shorter := false
		for part := 0; part < parts; part++ {
			if most--; most < 0 || ctx.Err() != nil {
				return schedule, nil
			}
			candidate := without(schedule, part, parts)
			failed, err := fails(ctx, candidate)
			if err != nil {
				return schedule, err
			}
			if failed {
				schedule, parts, shorter = candidate, max(2, parts-1), true
				break
			}
		}
		switch {
		case shorter:
		case parts == len(schedule.Steps):
			return schedule, nil
		default:
			parts = min(2*parts, len(schedule.Steps))
		}
	}
	return schedule, nil
}

// without leaves out one of the equal parts of the steps.
func without(schedule Schedule, part, parts int) Schedule {
	size := len(schedule.Steps)
	schedule.Steps = slices.Concat(schedule.Steps[:part*size/parts], schedule.Steps[(part+1)*size/parts:])
	return schedule
}

// FailsLike plays a schedule and reports whether the same invariant breaks as in another run.
func (a *Arena) FailsLike(failed Result) func(context.Context, Schedule) (bool, error) {
	return func(ctx context.Context, schedule Schedule) (bool, error) {
		a.say("shrinking: %d steps", len(schedule.Steps))
		result, err := a.Run(ctx, schedule)
		for _, violation := range result.Violations {
			if violation.Invariant == failed.Violations[0].Invariant {
				return true, nil
			}
		}
		return false, err
	}
}
