package eventually_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// recorder is a test that remembers how it failed. Fatalf ends the goroutine, as a real test's
// does.
type recorder struct {
	testing.TB

	ctx     context.Context
	failure string
}

func (r *recorder) Helper() {}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	panic(r)
}

// wait runs Eventually in a test of its own and returns how that failed, or "".
func wait(ctx context.Context, check func(context.Context) error) (failure string) {
	r := &recorder{ctx: ctx}
	defer func() {
		if ended := recover(); ended != nil && ended != any(r) {
			panic(ended)
		}
		failure = r.failure
	}()
	eventually.Eventually(r, time.Minute, "the machine runs", check)
	return ""
}

func TestEventually(t *testing.T) {
	counted := func(calls int, before error) func() func(context.Context) error {
		return func() func(context.Context) error {
			return func(context.Context) error {
				if calls--; calls < 0 {
					return nil
				}
				return before
			}
		}
	}
	for name, tc := range map[string]struct {
		reason string
		check  func() func(context.Context) error
		want   string
		took   time.Duration
	}{
		"it holds at once": {
			reason: "a check that holds is not asked again and costs no time",
			check:  counted(0, nil),
		},
		"it holds after three checks": {
			reason: "the pauses begin at 2 ms and double, so that three of them take 14 ms",
			check:  counted(3, errors.New("not yet")),
			took:   14 * time.Millisecond,
		},
		"it never holds": {
			reason: "the failure names the time, what was awaited and what the last check saw",
			check:  counted(1000000, errors.New("its phase is Creating")),
			want:   "not within 1m0s: the machine runs: its phase is Creating",
			took:   time.Minute,
		},
		"the last check is cut off": {
			reason: "an error that only says that the time is over would hide what was seen before",
			check: func() func(context.Context) error {
				asked := false
				return func(ctx context.Context) error {
					if !asked {
						asked = true
						return errors.New("its phase is Creating")
					}
					<-ctx.Done()
					return ctx.Err()
				}
			},
			want: "not within 1m0s: the machine runs: its phase is Creating",
			took: time.Minute,
		},
		"the first check is cut off": {
			reason: "where nothing was seen, the end of the time is all that can be told",
			check: func() func(context.Context) error {
				return func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				}
			},
			want: "not within 1m0s: the machine runs: context deadline exceeded",
			took: time.Minute,
		},
		"a claim that does not hold": {
			reason: "a claim without an error of its own fails with the words of what was awaited",
			check: func() func(context.Context) error {
				return eventually.True(func() bool { return false })
			},
			want: "not within 1m0s: the machine runs: it does not hold",
			took: time.Minute,
		},
		"a claim that holds": {
			reason: "a claim that holds ends the wait",
			check: func() func(context.Context) error {
				return eventually.True(func() bool { return true })
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got := wait(t.Context(), tc.check())
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s: failure (-want +got):\n%s", tc.reason, diff)
				}
				if diff := cmp.Diff(tc.took, time.Since(start)); diff != "" {
					t.Errorf("%s: time (-want +got):\n%s", tc.reason, diff)
				}
			})
		})
	}
}

// TestEnd holds that a test which ends by itself, for example by its own deadline, is not kept.
func TestEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := wait(ctx, func(context.Context) error { return errors.New("its phase is Creating") })
	if !strings.HasSuffix(got, "its phase is Creating") {
		t.Errorf("failure %q, want what the check saw", got)
	}
}
