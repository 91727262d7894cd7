package v1alpha1_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var (
	earlier = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	later   = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC))
)

func ready(status metav1.ConditionStatus, reason string, at metav1.Time) metav1.Condition {
	return metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: status, ObservedGeneration: 2, LastTransitionTime: at, Reason: reason,
	}
}

func TestSetCondition(t *testing.T) {
	foreign := metav1.Condition{Type: "BackupReady"}
	cases := map[string]struct {
		reason      string
		have        []metav1.Condition
		set         metav1.Condition
		want        []metav1.Condition
		wantChanged bool
	}{
		"first": {
			reason:      "added behind what others wrote",
			have:        []metav1.Condition{foreign},
			set:         ready(metav1.ConditionTrue, "Ready", earlier),
			want:        []metav1.Condition{foreign, ready(metav1.ConditionTrue, "Ready", earlier)},
			wantChanged: true,
		},
		"same": {
			reason: "the time of the last transition does not move by itself, so no write follows",
			have:   []metav1.Condition{ready(metav1.ConditionTrue, "Ready", earlier)},
			set:    ready(metav1.ConditionTrue, "Ready", later),
			want:   []metav1.Condition{ready(metav1.ConditionTrue, "Ready", earlier)},
		},
		"other reason": {
			reason:      "a change, and no transition",
			have:        []metav1.Condition{ready(metav1.ConditionFalse, "Creating", earlier), foreign},
			set:         ready(metav1.ConditionFalse, "Starting", later),
			want:        []metav1.Condition{ready(metav1.ConditionFalse, "Starting", earlier), foreign},
			wantChanged: true,
		},
		"other status": {
			reason:      "a transition",
			have:        []metav1.Condition{ready(metav1.ConditionFalse, "Creating", earlier)},
			set:         ready(metav1.ConditionTrue, "Ready", later),
			want:        []metav1.Condition{ready(metav1.ConditionTrue, "Ready", later)},
			wantChanged: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			machine := &v1alpha1.Machine{}
			machine.SetConditions(tc.have)
			if changed := machine.Status.SetCondition(tc.set); changed != tc.wantChanged {
				t.Errorf("%s: changed %t, want %t", tc.reason, changed, tc.wantChanged)
			}
			if diff := cmp.Diff(tc.want, machine.GetConditions()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCondition(t *testing.T) {
	var status v1alpha1.MachineStatus
	if got := status.Condition(v1alpha1.ConditionReady); got != nil {
		t.Errorf("found %v in an empty status", got)
	}
	want := ready(metav1.ConditionTrue, "Ready", earlier)
	status.SetConditions([]metav1.Condition{{Type: v1alpha1.ConditionPlaced}, want})
	got := status.Condition(v1alpha1.ConditionReady)
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	got.Reason = "Changed"
	if status.Conditions[1].Reason != "Ready" {
		t.Error("a change to what Condition returned reached the status")
	}
}

func TestConditionsAreCopied(t *testing.T) {
	conditions := []metav1.Condition{ready(metav1.ConditionTrue, "Ready", earlier)}
	machine := &v1alpha1.Machine{}
	machine.SetConditions(conditions)
	conditions[0].Reason = "Changed"
	machine.GetConditions()[0].Reason = "Changed"
	if got := machine.Status.Conditions[0].Reason; got != "Ready" {
		t.Errorf("reason %q: a slice is shared", got)
	}
	machine.SetConditions(nil)
	if machine.Status.Conditions != nil || machine.GetConditions() != nil {
		t.Error("no conditions are not nil")
	}
}

// TestMachineConditionJSON holds the form in which foreign conditions come, and that what they lack
// is not made up: the schema of another definition could refuse a null.
func TestMachineConditionJSON(t *testing.T) {
	for _, want := range []string{
		`{}`,
		`{"type":"Unknown","status":"False"}`,
		`{"type":"Unknown","status":"False","lastTransitionTime":"2026-01-02T03:04:05Z","reason":"Failed to get client","message":"Failed"}`,
		`{"type":"Ready","status":"True","observedGeneration":2,"lastTransitionTime":"2026-01-02T03:04:05Z","reason":"Ready"}`,
	} {
		var condition v1alpha1.MachineCondition
		if err := json.Unmarshal([]byte(want), &condition); err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		got, err := json.Marshal(condition)
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
