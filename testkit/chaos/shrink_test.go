package chaos

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// numbered is a schedule of steps that are told apart by their subject.
func numbered(steps int) Schedule {
	var s Schedule
	for i := range steps {
		s.Steps = append(s.Steps, Step{Kind: "create", Subject: strconv.Itoa(i)})
	}
	return s
}

func subjects(s Schedule) []string {
	var all []string
	for _, step := range s.Steps {
		all = append(all, step.Subject)
	}
	return all
}

// needs fails where all of some steps are there, and counts how often it is asked.
func needs(asked *int, culprits ...string) func(context.Context, Schedule) (bool, error) {
	return func(_ context.Context, s Schedule) (bool, error) {
		*asked++
		there := subjects(s)
		return !slices.ContainsFunc(culprits, func(c string) bool { return !slices.Contains(there, c) }), nil
	}
}

func TestShrink(t *testing.T) {
	cases := map[string]struct {
		reason   string
		steps    int
		culprits []string
	}{
		"one step":          {"a fault that one step makes is found in it", 40, []string{"17"}},
		"the first":         {"a step at the edge is no special case", 40, []string{"0"}},
		"the last":          {"a step at the other edge is none either", 41, []string{"40"}},
		"two that are far":  {"steps that lie apart are found together", 40, []string{"3", "36"}},
		"three":             {"a fault may take as many steps as it needs", 33, []string{"1", "16", "31"}},
		"all":               {"a schedule without a spare step stays as it is", 4, []string{"0", "1", "2", "3"}},
		"one that is alone": {"a schedule of one step cannot be shorter", 1, []string{"0"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			asked := 0
			got, err := Shrink(t.Context(), numbered(tc.steps), 1000, needs(&asked, tc.culprits...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.culprits, subjects(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestShrinkIsBounded: what was found so far is the answer when the runs are used up, when the time
// is over, and when a run breaks.
func TestShrinkIsBounded(t *testing.T) {
	asked := 0
	got, err := Shrink(t.Context(), numbered(64), 5, needs(&asked, "9"))
	if err != nil || asked != 5 || len(got.Steps) >= 64 || !slices.Contains(subjects(got), "9") {
		t.Errorf("after 5 runs: %d were played, %d steps are left (%v), %v", asked, len(got.Steps), subjects(got), err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	asked = 0
	if got, err = Shrink(over, numbered(8), 100, needs(&asked, "1")); err != nil || asked != 0 || len(got.Steps) != 8 {
		t.Errorf("after the end of the time: %d were played, %d steps, %v", asked, len(got.Steps), err)
	}
	broken := errors.New("no room on the disk")
	breaks := func(context.Context, Schedule) (bool, error) { return false, broken }
	got, err = Shrink(t.Context(), numbered(8), 100, breaks)
	if !errors.Is(err, broken) || len(got.Steps) != 8 {
		t.Errorf("a run that breaks is no verdict: %d steps, %v", len(got.Steps), err)
	}
}

// TestShrinkKeepsItsArgument: the schedule that failed first is still printed after the shrinking.
func TestShrinkKeepsItsArgument(t *testing.T) {
	given, asked := numbered(16), 0
	if _, err := Shrink(t.Context(), given, 100, needs(&asked, "5")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(numbered(16), given); diff != "" {
		t.Errorf("the argument was changed (-want +got):\n%s", diff)
	}
}
