package guest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/guest"
)

var (
	now   = time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	stamp = metav1.NewTime(now)
	past  = metav1.NewTime(now.Add(-guest.AskAgain))
)

// machineOf is a VirtualMachine with what KubeVirt was asked for and has not carried out.
func machineOf(
	strategy kubevirtv1.VirtualMachineRunStrategy, requests ...kubevirtv1.VirtualMachineStateChangeRequest,
) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{}
	vm.Spec.RunStrategy = ptr.To(strategy)
	vm.Status.StateChangeRequests = requests
	return vm
}

func instanceOf(uid types.UID, phase kubevirtv1.VirtualMachineInstancePhase) *kubevirtv1.VirtualMachineInstance {
	vmi := &kubevirtv1.VirtualMachineInstance{}
	vmi.UID, vmi.Status.Phase = uid, phase
	return vmi
}

func ending(vmi *kubevirtv1.VirtualMachineInstance) *kubevirtv1.VirtualMachineInstance {
	vmi.DeletionTimestamp = ptr.To(stamp)
	return vmi
}

func stop(uid types.UID) kubevirtv1.VirtualMachineStateChangeRequest {
	return kubevirtv1.VirtualMachineStateChangeRequest{Action: kubevirtv1.StopRequest, UID: &uid}
}

var start = kubevirtv1.VirtualMachineStateChangeRequest{Action: kubevirtv1.StartRequest}

const (
	always = kubevirtv1.RunStrategyAlways
	halted = kubevirtv1.RunStrategyHalted
	manual = kubevirtv1.RunStrategyManual
	rerun  = kubevirtv1.RunStrategyRerunOnFailure
)

func TestRestart(t *testing.T) {
	type record = vitistackv1alpha1.RestartRecord
	underWay := record{Token: "a", Instance: "one", At: past}
	done := record{Token: "a", Instance: "one", At: past, Done: true}
	cases := map[string]struct {
		reason string
		token  string
		record *record
		seen   guest.Seen
		want   guest.RestartStep
	}{
		"Nothing": {
			reason: "a Machine that asks for nothing gets nothing",
			seen:   guest.Seen{VM: machineOf(always), VMI: instanceOf("one", kubevirtv1.Running)},
		},
		"DoneBefore": {
			reason: "a token that is done is never asked for again", token: "a", record: &done,
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("one", kubevirtv1.Running)},
		},
		"New": {
			reason: "a new token is recorded with the instance that runs, and then asked for", token: "a",
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("one", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepAsk, Record: record{Token: "a", Instance: "one", At: stamp}},
		},
		"Next": {
			reason: "another token restarts the guest again", token: "b", record: &done,
			seen: guest.Seen{VM: machineOf(manual), VMI: instanceOf("two", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepAsk, Record: record{Token: "b", Instance: "two", At: stamp}},
		},
		"Stuck": {
			reason: "an instance that cannot start is restarted too: the change may be what lets it", token: "a",
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("one", kubevirtv1.Scheduling)},
			want: guest.RestartStep{Do: guest.StepAsk, Record: record{Token: "a", Instance: "one", At: stamp}},
		},
		"NothingRuns": {
			reason: "where nothing runs there is nothing to restart, and KubeVirt is not asked", token: "a",
			seen: guest.Seen{VM: machineOf(halted)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: record{Token: "a", At: stamp, Done: true}},
		},
		"ShutDown": {
			reason: "a guest that shut itself down is not started by a restart", token: "a",
			seen: guest.Seen{VM: machineOf(rerun), VMI: instanceOf("one", kubevirtv1.Succeeded)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: record{Token: "a", At: stamp, Done: true}},
		},
		"StopsAlready": {
			reason: "an instance that somebody stops already is waited for, and not stopped twice", token: "a",
			seen: guest.Seen{VM: machineOf(always), VMI: ending(instanceOf("one", kubevirtv1.Running))},
			want: guest.RestartStep{Do: guest.StepRecord, Record: record{Token: "a", Instance: "one", At: stamp}},
		},
		"AskedByAnother": {
			reason: "a person's virtctl restart that is under way does what the token wants", token: "a",
			seen: guest.Seen{VM: machineOf(always, stop("one"), start), VMI: instanceOf("one", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: record{Token: "a", Instance: "one", At: stamp}},
		},
		"Asked": {
			reason: "KubeVirt has the request and has not carried it out: its next step is an event", token: "a",
			record: &underWay,
			seen:   guest.Seen{VM: machineOf(always, stop("one"), start), VMI: instanceOf("one", kubevirtv1.Running)},
		},
		"Stopping": {
			reason: "the instance is on its way out, however long it takes", token: "a", record: &underWay,
			seen: guest.Seen{VM: machineOf(always), VMI: ending(instanceOf("one", kubevirtv1.Running))},
		},
		"Between": {
			reason: "the old instance is gone and the new one is not there yet", token: "a", record: &underWay,
			seen: guest.Seen{VM: machineOf(always)},
		},
		"BetweenManual": {
			reason: "with the run strategy Manual the request to start says that another instance follows", token: "a",
			record: &underWay, seen: guest.Seen{VM: machineOf(manual, start)},
		},
		"Starting": {
			reason: "the new instance does not run yet", token: "a", record: &underWay,
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("two", kubevirtv1.Scheduled)},
		},
		"Restarted": {
			reason: "another instance runs: the restart is over", token: "a", record: &underWay,
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("two", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: done},
		},
		"NewestWins": {
			reason: "a token that came meanwhile waits until the older one is over", token: "b", record: &underWay,
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("two", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: done},
		},
		"TakenBack": {
			reason: "a restart that is under way is brought to its end although the annotation is gone", record: &underWay,
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("two", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: done},
		},
		"StoppedMeanwhile": {
			reason: "a person stopped the virtual machine meanwhile: no other instance will follow", token: "a",
			record: &underWay, seen: guest.Seen{VM: machineOf(halted)},
			want: guest.RestartStep{Do: guest.StepRecord, Record: done},
		},
		"NeverAsked": {
			reason: "the process ended between the record and the call: the call is made when none can be on its way",
			token:  "a", record: &underWay,
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("one", kubevirtv1.Running)},
			want: guest.RestartStep{Do: guest.StepAsk, Record: record{Token: "a", Instance: "one", At: stamp}},
		},
		"MaybeOnItsWay": {
			reason: "a call that was made a moment ago may reach KubeVirt yet: another one could restart the new instance",
			token:  "a", record: &record{Token: "a", Instance: "one", At: metav1.NewTime(now.Add(-time.Second))},
			seen: guest.Seen{VM: machineOf(always), VMI: instanceOf("one", kubevirtv1.Running)},
			want: guest.RestartStep{After: guest.AskAgain - time.Second},
		},
		"AnothersStop": {
			reason: "a request to stop an instance of before says nothing of the one that runs", token: "a",
			record: &underWay,
			seen:   guest.Seen{VM: machineOf(always, stop("zero")), VMI: instanceOf("two", kubevirtv1.Running)},
			want:   guest.RestartStep{Do: guest.StepRecord, Record: done},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			restart := guest.Restart{Token: tc.token}
			if tc.record != nil {
				restart.Record, restart.Recorded = *tc.record, true
			}
			got := restart.Decide(tc.seen, now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nDecide(...): -want +got:\n%s", tc.reason, diff)
			}
			if got.Do != guest.StepRest && got.Record.Validate() != nil {
				t.Errorf("\n%s\nDecide(...): the record cannot be written: %v", tc.reason, got.Record.Validate())
			}
			if got != (guest.RestartStep{}) && !restart.Due() {
				t.Errorf("\n%s\nDue(): got false where there is something to do", tc.reason)
			}
		})
	}
}

func TestConsumed(t *testing.T) {
	type record = vitistackv1alpha1.RestartRecord
	cases := map[string]struct {
		reason  string
		restart guest.Restart
		want    record
		needed  bool
	}{
		"None": {reason: "a Machine that asks for nothing gets no record"},
		"Born": {
			reason: "a guest that was just made with a token is not restarted for it", restart: guest.Restart{Token: "a"},
			want: record{Token: "a", At: stamp, Done: true}, needed: true,
		},
		"UnderWay": {
			reason:  "a restart whose virtual machine vanished is over with the new one",
			restart: guest.Restart{Recorded: true, Record: record{Token: "a", Instance: "one", At: past}},
			want:    record{Token: "a", Instance: "one", At: past, Done: true}, needed: true,
		},
		"Done": {
			reason:  "a token that is done needs no other record",
			restart: guest.Restart{Token: "a", Recorded: true, Record: record{Token: "a", At: past, Done: true}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, needed := tc.restart.Consumed(now)
			if diff := cmp.Diff(tc.want, got); diff != "" && needed || needed != tc.needed {
				t.Errorf("\n%s\nConsumed(): got needed %t, -want +got:\n%s", tc.reason, needed, diff)
			}
		})
	}
}
