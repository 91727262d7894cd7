package guest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
)

func frozen(uid types.UID) *kubevirtv1.VirtualMachineInstance {
	vmi := instanceOf(uid, kubevirtv1.Running)
	vmi.Status.Conditions = []kubevirtv1.VirtualMachineInstanceCondition{
		{Type: kubevirtv1.VirtualMachineInstancePaused, Status: corev1.ConditionTrue},
	}
	return vmi
}

func TestPause(t *testing.T) {
	type record = vitistackv1alpha1.PauseRecord
	const asked, paused, found = vitistackv1alpha1.PauseAsked, vitistackv1alpha1.PausePaused, vitistackv1alpha1.PauseFound
	running := func(uid types.UID) *kubevirtv1.VirtualMachineInstance { return instanceOf(uid, kubevirtv1.Running) }
	moment := metav1.NewTime(now.Add(-time.Second))
	cases := map[string]struct {
		reason string
		wanted bool
		record *record
		vmi    *kubevirtv1.VirtualMachineInstance
		want   guest.PauseStep
		rests  bool // by the cache alone
	}{
		"Nothing": {reason: "a Machine that asks for nothing gets nothing", vmi: running("one"), rests: true},
		"ByAPerson": {
			reason: "what a person paused is not resumed by a Machine that never asked for a pause", vmi: frozen("one"),
			rests: true,
		},
		"New": {
			reason: "the guest that runs is recorded, and then paused", wanted: true, vmi: running("one"),
			want: guest.PauseStep{Do: guest.TurnPause, Record: record{Instance: "one", Stage: asked, At: stamp}},
		},
		"NotYet": {
			reason: "a guest that does not run yet is paused when it does", wanted: true,
			vmi: instanceOf("one", kubevirtv1.Scheduled), rests: true,
		},
		"Off": {reason: "a guest that does not run cannot be paused", wanted: true, rests: true},
		"Found": {
			reason: "a guest that a person paused before is recorded as theirs", wanted: true, vmi: frozen("one"),
			want: guest.PauseStep{Do: guest.TurnRecord, Record: record{Instance: "one", Stage: found, At: stamp}},
		},
		"NeverAsked": {
			reason: "the process ended between the record and the call: the call is made", wanted: true,
			record: &record{Instance: "one", Stage: asked, At: past}, vmi: running("one"),
			want: guest.PauseStep{Do: guest.TurnPause, Record: record{Instance: "one", Stage: asked, At: stamp}},
		},
		"OnItsWay": {
			reason: "the effect of a call is seen a little later", wanted: true,
			record: &record{Instance: "one", Stage: asked, At: moment}, vmi: running("one"),
			want: guest.PauseStep{After: guest.AskAgain - time.Second},
		},
		"Answered": {
			reason: "the process ended between the call and the record: that the guest is paused is recorded",
			wanted: true, record: &record{Instance: "one", Stage: asked, At: moment}, vmi: frozen("one"),
			want: guest.PauseStep{Do: guest.TurnRecord, Record: record{Instance: "one", Stage: paused, At: moment}},
		},
		"Paused": {
			reason: "a guest that is paused needs nothing", wanted: true, vmi: frozen("one"),
			record: &record{Instance: "one", Stage: paused, At: past}, rests: true,
		},
		"ResumedByAPerson": {
			reason: "a person who resumes the guest is not overruled", wanted: true, vmi: running("one"),
			record: &record{Instance: "one", Stage: paused, At: past}, rests: true,
		},
		"Restarted": {
			reason: "the instance after a restart is paused too", wanted: true, vmi: running("two"),
			record: &record{Instance: "one", Stage: paused, At: past},
			want:   guest.PauseStep{Do: guest.TurnPause, Record: record{Instance: "two", Stage: asked, At: stamp}},
		},
		"Resume": {
			reason: "what the operator paused is resumed once nobody wants the pause", vmi: frozen("one"),
			record: &record{Instance: "one", Stage: paused, At: past}, want: guest.PauseStep{Do: guest.TurnResume},
		},
		"ResumeUnseen": {
			reason: "a pause that was asked for a moment ago may be carried out yet", vmi: running("one"),
			record: &record{Instance: "one", Stage: paused, At: moment},
			want:   guest.PauseStep{After: guest.AskAgain - time.Second},
		},
		"ResumedAlready": {
			reason: "a guest that goes on again needs no call", vmi: running("one"),
			record: &record{Instance: "one", Stage: paused, At: past}, want: guest.PauseStep{Do: guest.TurnForget},
		},
		"KeepTheirs": {
			reason: "what a person had paused before stays so", vmi: frozen("one"),
			record: &record{Instance: "one", Stage: found, At: past}, want: guest.PauseStep{Do: guest.TurnForget},
		},
		"AnotherInstance": {
			reason: "an instance that the operator did not pause is not resumed", vmi: frozen("two"),
			record: &record{Instance: "one", Stage: paused, At: past}, want: guest.PauseStep{Do: guest.TurnForget},
		},
		"Gone": {
			reason: "an instance that is gone needs no resuming",
			record: &record{Instance: "one", Stage: paused, At: past}, want: guest.PauseStep{Do: guest.TurnForget},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			pause := guest.Pause{Wanted: tc.wanted}
			if tc.record != nil {
				pause.Record, pause.Recorded = *tc.record, true
			}
			if due := pause.Due(tc.vmi); due == tc.rests {
				t.Errorf("\n%s\nDue(...): got %t", tc.reason, due)
			}
			got := pause.Decide(tc.vmi, now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nDecide(...): -want +got:\n%s", tc.reason, diff)
			}
			if writes := got.Do == guest.TurnRecord || got.Do == guest.TurnPause; writes && got.Record.Validate() != nil {
				t.Errorf("\n%s\nDecide(...): the record cannot be written: %v", tc.reason, got.Record.Validate())
			}
		})
	}
}
