package chaos

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGenerate: a schedule follows from its seed alone, and another seed gives another one.
func TestGenerate(t *testing.T) {
	for seed := range uint64(20) {
		one, two := Generate(seed, time.Minute), Generate(seed, time.Minute)
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("seed %d gives two schedules (-one +other):\n%s", seed, diff)
		}
		if cmp.Equal(one.Steps, Generate(seed+1, time.Minute).Steps) {
			t.Errorf("seeds %d and %d give the same steps", seed, seed+1)
		}
		if len(one.Steps) < first || one.Steps[0].Kind != "create" {
			t.Errorf("seed %d begins without a Machine: %v", seed, one.Steps)
		}
	}
}

// TestEveryKindOccurs: no kind of step is so rare that nobody sees it.
func TestEveryKindOccurs(t *testing.T) {
	seen, params := map[string]int{}, map[string]map[string]bool{}
	for seed := range uint64(50) {
		for _, step := range Generate(seed, time.Minute).Steps {
			seen[step.Kind]++
			for name, value := range step.Params {
				key := step.Kind + " " + name
				if params[key] == nil {
					params[key] = map[string]bool{}
				}
				params[key][value] = true
			}
		}
	}
	for _, name := range Kinds() {
		if seen[name] == 0 {
			t.Errorf("no step of kind %s in 50 seeds", name)
		}
	}
	for key, want := range map[string]int{"webhook how": 3, "liar how": 3, "break-secret how": 3, "rotate what": 3,
		"hostile manner": 15, "hostile step": 6, "kill-at-write write": 7, "fault on": 5} {
		if got := len(params[key]); got != want {
			t.Errorf("%s has %d values in 50 seeds, want %d: %v", key, got, want, params[key])
		}
	}
}

// TestScheduleIsData: a schedule that was written is the same when it is read.
func TestScheduleIsData(t *testing.T) {
	for seed := range uint64(20) {
		want := Generate(seed, time.Minute)
		var text bytes.Buffer
		if err := want.Write(&text); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSchedule(&text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func TestReadScheduleRefuses(t *testing.T) {
	cases := map[string]struct{ reason, text, want string }{
		"unknown kind": {
			reason: "a step that nobody can do is a mistake in the file, not a step that was not done",
			text:   `{"steps": [{"kind": "dance"}]}`, want: `step 0: there is no kind "dance"`,
		},
		"unknown field": {
			reason: "a field with a typing error would be left out without a word",
			text:   `{"sede": 1}`, want: `unknown field "sede"`,
		},
		"no JSON": {reason: "a file of another kind is no empty schedule", text: "seed: 1", want: "reading the schedule"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ReadSchedule(strings.NewReader(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want an error with %q", tc.reason, err, tc.want)
			}
		})
	}
}
