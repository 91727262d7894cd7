package v1alpha1

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestParseRestartRecord(t *testing.T) {
	at := metav1.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	underWay := RestartRecord{Token: "monday", Instance: "a-b", At: at}
	cases := map[string]struct {
		reason, text string
		want         RestartRecord
		invalid      bool
	}{
		"UnderWay": {
			reason: "a record that the operator wrote before it asked is read",
			text:   underWay.String(), want: underWay,
		},
		"Done": {
			reason: "the record of a restart that is done is read",
			text:   RestartRecord{Token: "<&>\u2028", Instance: "a", At: at, Done: true}.String(),
			want:   RestartRecord{Token: "<&>\u2028", Instance: "a", At: at, Done: true},
		},
		"NothingRan": {
			reason: "where no instance ran, the restart is done at once",
			text:   RestartRecord{Token: "monday", At: at, Done: true}.String(),
			want:   RestartRecord{Token: "monday", At: at, Done: true},
		},
		"NothingRanAndNotDone": {
			reason: "a restart without an instance could never be done, so that nobody records one",
			text:   `{"token":"monday","at":"2026-03-04T05:06:07Z"}`, invalid: true,
		},
		"NoToken": {
			reason: "a record that answers no token answers nothing",
			text:   `{"token":"","instance":"a","at":"2026-03-04T05:06:07Z"}`, invalid: true,
		},
		"LongToken": {
			reason: "a token is bounded as the name of an object is",
			text:   RestartRecord{Token: strings.Repeat("a", 254), Instance: "a", At: at}.String(), invalid: true,
		},
		"NoTime": {
			reason: "a restart that was recorded at no time was not recorded by the operator",
			text:   `{"token":"monday","instance":"a","at":null}`, invalid: true,
		},
		"OtherZone": {
			reason: "the operator writes UTC, so that a record in another zone is somebody else's",
			text:   `{"token":"monday","instance":"a","at":"2026-03-04T05:06:07+01:00"}`, invalid: true,
		},
		"BadInstance": {
			reason: "a UID is one word",
			text:   `{"token":"monday","instance":"a b","at":"2026-03-04T05:06:07Z"}`, invalid: true,
		},
		"UnknownField": {
			reason: "a record of a later release must not be half understood",
			text:   `{"token":"monday","instance":"a","at":"2026-03-04T05:06:07Z","later":1}`, invalid: true,
		},
		"Long": {
			reason: "an annotation that is too long is not read at all",
			text:   strings.Repeat(" ", maxRestartRecordLength+1), invalid: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			machine := &metav1.ObjectMeta{Annotations: map[string]string{AnnotationPlacementRestart: tc.text}}
			got, found, err := RestartRecordOf(machine)
			if !found || errors.Is(err, ErrInvalidRestartRecord) != tc.invalid {
				t.Errorf("\n%s\nRestartRecordOf(...): want invalid %t, got %t, %v", tc.reason, tc.invalid, found, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nRestartRecordOf(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNoRecords holds that a Machine without the annotations has neither record, which is no error.
func TestNoRecords(t *testing.T) {
	if record, found, err := RestartRecordOf(&metav1.ObjectMeta{}); found || err != nil {
		t.Errorf("RestartRecordOf(...): got %v, %t, %v", record, found, err)
	}
	if record, found, err := PauseRecordOf(&metav1.ObjectMeta{}); found || err != nil {
		t.Errorf("PauseRecordOf(...): got %v, %t, %v", record, found, err)
	}
}

func TestParsePauseRecord(t *testing.T) {
	at := metav1.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	cases := map[string]struct {
		reason, text string
		invalid      bool
	}{
		"Asked": {
			reason: "a record that the operator wrote before it asked is read",
			text:   PauseRecord{Instance: "a-b", Stage: PauseAsked, At: at}.String(),
		},
		"Found": {
			reason: "what somebody else paused is recorded, so that it is never resumed",
			text:   PauseRecord{Instance: "a-b", Stage: PauseFound, At: at}.String(),
		},
		"NoInstance": {
			reason: "without an instance nothing was paused",
			text:   `{"instance":"","stage":"Asked","at":"2026-03-04T05:06:07Z"}`, invalid: true,
		},
		"UnknownStage": {
			reason: "a stage of a later release must not be half understood",
			text:   `{"instance":"a","stage":"Frozen","at":"2026-03-04T05:06:07Z"}`, invalid: true,
		},
		"NoTime": {
			reason: "without a time nobody knows whether the call is still on its way",
			text:   `{"instance":"a","stage":"Asked","at":null}`, invalid: true,
		},
		"Space": {
			reason: "the operator writes no space, so that a record with one is somebody else's",
			text:   `{"instance":"a", "stage":"Asked","at":"2026-03-04T05:06:07Z"}`, invalid: true,
		},
		"Long": {
			reason: "an annotation that is too long is not read at all",
			text:   strings.Repeat(" ", maxPauseRecordLength+1), invalid: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			machine := &metav1.ObjectMeta{Annotations: map[string]string{AnnotationPlacementPause: tc.text}}
			record, found, err := PauseRecordOf(machine)
			if !found || errors.Is(err, ErrInvalidPauseRecord) != tc.invalid {
				t.Errorf("\n%s\nPauseRecordOf(...): want invalid %t, got %t, %v", tc.reason, tc.invalid, found, err)
			}
			if !tc.invalid && record.String() != tc.text {
				t.Errorf("\n%s\n%s is written again as %s", tc.reason, tc.text, record)
			}
		})
	}
}
