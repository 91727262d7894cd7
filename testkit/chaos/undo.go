package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// undo ends something that a step began.
type undo struct {
	what string
	due  time.Time
	end  func(context.Context) error
}

// undos are what has to be ended, in the order in which it began.
type undos []undo

// add notes something to end. What has the same name is ended first.
func (u *undos) add(ctx context.Context, what string, due time.Time, end func(context.Context) error) error {
	if err := u.finish(ctx, func(other undo) bool { return other.what == what }); err != nil {
		return fmt.Errorf("what the step before began could not be ended: %w", err)
	}
	*u = append(*u, undo{what: what, due: due, end: end})
	return nil
}

// next is when the first is due; the zero time means that there is none.
func (u undos) next() time.Time {
	var first time.Time
	for _, each := range u {
		if first.IsZero() || each.due.Before(first) {
			first = each.due
		}
	}
	return first
}

// retry is when something is tried again that could not be ended.
const retry = 500 * time.Millisecond

// finish ends those that are chosen. One that cannot be ended stays, and is due a little later.
func (u *undos) finish(ctx context.Context, chosen func(undo) bool) error {
	var left undos
	var errs []error
	for _, each := range *u {
		if !chosen(each) {
			left = append(left, each)
			continue
		}
		if err := each.end(ctx); err != nil {
			errs = append(errs, fmt.Errorf("ending %s: %w", each.what, err))
			each.due = time.Now().Add(retry)
			left = append(left, each)
		}
	}
	*u = left
	return errors.Join(errs...)
}
