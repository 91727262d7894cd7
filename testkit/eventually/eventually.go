package eventually

import (
	"context"
	"errors"
	"testing"
	"time"
)

// The pause between two checks grows from firstPause to longestPause: what happens at once is seen
// at once, and a server that is asked for minutes is not kept busy by the test.
const (
	firstPause   = 2 * time.Millisecond
	longestPause = 200 * time.Millisecond
)

// Eventually checks until check returns nil. It fails the test at once, with what was awaited and
// the last error, when that has not happened within a time or the test's own context ends.
//
// The context of a check ends with the time. An error that comes from this end is not printed as
// the last one when an earlier check said more.
func Eventually(t testing.TB, within time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := poll(ctx, check); err != nil {
		t.Fatalf("not within %s: %s: %v", within, what, err)
	}
}

// True makes a check of a claim that has nothing to tell but whether it holds.
func True(claim func() bool) func(context.Context) error {
	return func(context.Context) error {
		if !claim() {
			return errors.New("it does not hold")
		}
		return nil
	}
}

// poll returns nil once check has, and otherwise the last error that check returned in time.
func poll(ctx context.Context, check func(context.Context) error) error {
	var last error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return last
		}
	}
}
