package guest_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
)

// fuzzed is the time at which all is decided here.
var fuzzed = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// FuzzDecide reads what people and the operator wrote on a Machine, and what a remote cluster shows
// of its guest. Whatever that is, the same is decided twice, and a record that is written is one that
// can be read.
func FuzzDecide(f *testing.F) {
	const vm = `{"spec":{"runStrategy":"Always"},"status":{"stateChangeRequests":[{"action":"Stop","uid":"a-b"}]}}`
	const vmi = `{"metadata":{"uid":"a-b"},"status":{"phase":"Running","conditions":[{"type":"Paused","status":"True"}]}}`
	for _, record := range []string{
		"", `{"token":"monday","instance":"a-b","at":"2026-03-04T05:06:00Z"}`,
		`{"token":"monday","instance":"other","at":"2026-03-04T05:06:07Z","done":true}`, `{"instance":"a-b","stage":"Asked","at":"2026-03-04T05:00:07Z"}`,
		`{"instance":"a-b","stage":"Paused","at":"2026-03-04T05:06:07Z"}`, `{"instance":"c","stage":"Found","at":"2026-03-04T05:06:07Z"}`,
	} {
		f.Add("monday", "true", record, vm, vmi)
		f.Add("tuesday", "", record, `{"spec":{"running":true}}`, `{"metadata":{"uid":" "},"status":{"phase":"Running"}}`)
		f.Add("", "true", record, `{}`, `null`)
	}
	f.Fuzz(func(t *testing.T, token, pause, record, vm, vmi string) {
		seen := guest.Seen{VM: &kubevirtv1.VirtualMachine{}}
		if json.Unmarshal([]byte(vm), seen.VM) != nil || json.Unmarshal([]byte(vmi), &seen.VMI) != nil {
			return // an API server hands out only what is of its type
		}
		if seen.VMI != nil && !uid.MatchString(string(seen.VMI.UID)) {
			return // a client of package clusters hands out no such object
		}
		machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
			vitistackv1alpha1.AnnotationRestart: token, vitistackv1alpha1.AnnotationPauseGuest: pause,
			vitistackv1alpha1.AnnotationPlacementRestart: record, vitistackv1alpha1.AnnotationPlacementPause: record,
		}}}
		if restart, err := guest.RestartOf(machine); err == nil {
			step := restart.Decide(seen, fuzzed)
			if again := restart.Decide(seen, fuzzed); !reflect.DeepEqual(step, again) {
				t.Errorf("%+v is decided, then %+v", step, again)
			}
			if step.Do != guest.StepRest {
				checkRestart(t, restart, step.Record)
			}
			late := step.After > guest.AskAgain && !ahead(restart.Record.At)
			if !restart.Due() && step.Do != guest.StepRest || step.After < 0 || late {
				t.Errorf("due %v, and %+v is decided", restart.Due(), step)
			}
		}
		if pause, err := guest.PauseOf(machine); err == nil {
			step := pause.Decide(seen.VMI, fuzzed)
			if step.Do == guest.TurnRecord || step.Do == guest.TurnPause {
				if _, err := vitistackv1alpha1.ParsePauseRecord(step.Record.String()); err != nil {
					t.Errorf("a record that cannot be read is written: %v: %s", err, step.Record)
				}
			}
			if step.Do == guest.TurnPause && !pause.Wanted || step.Do == guest.TurnResume && pause.Wanted {
				t.Errorf("wanted %v, and %+v is decided", pause.Wanted, step)
			}
		}
	})
}

// uid is what a client of package clusters takes for a UID.
var uid = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z._-]{0,126}[0-9A-Za-z])?$`)

// ahead says whether a record is from a clock that was ahead.
func ahead(at metav1.Time) bool { return at.After(fuzzed) }

func checkRestart(t *testing.T, restart guest.Restart, record vitistackv1alpha1.RestartRecord) {
	t.Helper()
	if _, err := vitistackv1alpha1.ParseRestartRecord(record.String()); err != nil {
		t.Errorf("a record that cannot be read is written: %v: %s", err, record)
	}
	if record.Token != restart.Token && record.Token != restart.Record.Token {
		t.Errorf("the token %q is none of the Machine's", record.Token)
	}
}
