package placement_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

func TestNamesInJSON(t *testing.T) {
	got, err := json.Marshal(map[string]any{
		"presence": []placement.Presence{placement.NotAsked, placement.Absent, placement.Present, placement.Unreachable, 9},
		"owner":    []placement.Owner{placement.OwnerUnknown, placement.Ours, placement.Unlabelled, placement.Foreign, -1},
		"step":     placement.Step{Strategy: "single", Verdict: placement.Placed, Config: "west"},
		"zero":     placement.Verdict(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"owner":["OwnerUnknown","Ours","Unlabelled","Foreign","Owner(-1)"],` +
		`"presence":["NotAsked","Absent","Present","Unreachable","Presence(9)"],` +
		`"step":{"strategy":"single","verdict":"Placed","config":"west"},"zero":"Unknown"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Marshal(): -want, +got:\n%s", diff)
	}
}

func TestErrorPolicyText(t *testing.T) {
	cases := map[string]struct {
		reason string
		text   string
		want   placement.ErrorPolicy
		fails  bool
	}{
		"no word": {reason: "an entry without onError holds", text: "", want: placement.HoldOnError},
		"hold":    {reason: "the word hold is one of the three policies", text: "hold", want: placement.HoldOnError},
		"skip":    {reason: "the word skip is one of the three policies", text: "skip", want: placement.SkipOnError},
		"refuse":  {reason: "the word refuse is one of the three policies", text: "refuse", want: placement.RefuseOnError},
		"capital letter": {
			reason: "a typing error must not weaken the policy",
			text:   "Skip",
			want:   placement.HoldOnError,
			fails:  true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got placement.ErrorPolicy
			err := got.UnmarshalText([]byte(tc.text))
			if got != tc.want || (err != nil) != tc.fails {
				t.Errorf(
					"\n%s\nUnmarshalText(%q): want %v (fails: %v), got %v (%v)", tc.reason, tc.text, tc.want, tc.fails, got, err,
				)
			}
		})
	}
}

func TestViolationsError(t *testing.T) {
	err := placement.Violations{{Field: "clusters[0].zone", Message: "is empty"}, {Message: "is no object"}}
	want := "invalid configuration: clusters[0].zone: is empty; is no object"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("Error(): -want, +got:\n%s", diff)
	}
}
