package observed_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// quotaExceeded is a virtual machine whose Pod a quota of the remote namespace does not admit.
func quotaExceeded(in *observed.Input) {
	in.VM = virtualMachine("Starting")
	in.VMI = instance(kubevirtv1.Pending, instanceCondition("Synchronized", "FailedCreate", "exceeded quota: pods"))
}

func heldDeletion(in *observed.Input) {
	in.Applied = false
	in.Problems = []observed.Problem{{
		Reason: "Deleting", Message: "waiting for VirtualMachine vm-m in cluster-east; finalizer backup.example.com/protect holds it",
	}}
}

// TestWrong is about what becomes a Warning, whoever found it.
func TestWrong(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   string // reason of the complaint, "" for none
	}{
		"it runs": {
			reason: "A Machine that is as it should be has nothing to warn of.",
			in:     ran,
		},
		"it is being made": {
			reason: "Every Machine is made and started.",
			in:     input(with(virtualMachine("Provisioning"), nil)),
		},
		"it is stopped": {
			reason: "A person stopped it.",
			in:     input(with(virtualMachine("Stopped"), nil)),
		},
		"it is paused by annotation": {
			reason: "A person asked for that.",
			in:     input(after(ran), stoppedAt(observed.StepPlace, problem("Paused"))),
		},
		"a quota refuses the Pod": {
			reason: "What KubeVirt reports never became an Event, so describe ended with Created.",
			in:     input(quotaExceeded),
			want:   "Rejected",
		},
		"an import fails": {
			reason: "What CDI reports never became an Event.",
			in: input(with(virtualMachine("DataVolumeError"), nil), func(in *observed.Input) {
				in.DataVolumes = []cdiv1beta1.DataVolume{{Status: cdiv1beta1.DataVolumeStatus{Phase: cdiv1beta1.Failed}}}
			}),
			want: "DiskFailed",
		},
		"no node has room": {
			reason: "A person may have to make room.",
			in:     input(with(virtualMachine("ErrorUnschedulable"), nil)),
			want:   "Unschedulable",
		},
		"an instancetype does not exist": {
			reason: "The remote cluster refuses the virtual machine.",
			in:     input(stoppedAt(observed.StepVM, problem("Rejected"))),
			want:   "Rejected",
		},
		"it is being deleted": {
			reason: "A deletion that nothing holds up is no trouble.",
			in:     input(after(ran), deleting, with(virtualMachine("Terminating"), nil)),
		},
		"a finalizer holds the deletion": {
			reason: "A finalizer of somebody else held the deletion and no Event named it.",
			in:     input(after(ran), deleting, with(virtualMachine("Terminating"), nil), heldDeletion),
			want:   "Deleting",
		},
		"the cluster is silent": {
			reason: "Nobody can tell whether the Machine runs.",
			in:     input(after(ran), contactLost("Unreachable", time.Hour)),
			want:   "Unreachable",
		},
		"the operator has just started": {
			reason: "There is no verdict about the cluster yet.",
			in:     input(after(input(unplaced())), contactLost("Connecting", 0)),
		},
		"a copy carries its labels": {
			reason: "The Machine runs, and a person should know of the copy.",
			in: input(after(ran), with(virtualMachine("Running"), instance(kubevirtv1.Running)), func(in *observed.Input) {
				in.Copies = []string{"VirtualMachine web-copy in cluster-east"}
			}),
			want: "CopiesFound",
		},
		"a silent guest on DHCP": {
			reason: "A guest without an agent runs well, and nobody has to act.",
			in:     input(with(virtualMachine("Running"), nil)),
		},
		"a strategy's own reason": {
			reason: "A reason that has no row is worth a Warning.",
			in:     input(unplaced(observed.Problem{Condition: "Placed", Reason: "NoRoom", Message: "no rack has room"})),
			want:   "NoRoom",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := observed.Wrong(observed.Status(tc.in))
			if diff := cmp.Diff(tc.want, got.Reason); diff != "" {
				t.Errorf("\n%s\nWrong(...): -want +got:\n%s\nmessage: %s", tc.reason, diff, got.Message)
			}
		})
	}
}

// TestTelling walks one Machine through time: a Warning comes once what is wrong has lasted.
func TestTelling(t *testing.T) {
	good := observed.Status(input(with(virtualMachine("Running"), instance(kubevirtv1.Running))))
	bad := observed.Status(input(quotaExceeded))
	other := *bad.DeepCopy()
	for i := range other.Conditions {
		other.Conditions[i].Message = "exceeded quota: memory"
	}
	long := *bad.DeepCopy()
	long.LastUpdated.Time = now.Add(-time.Hour)
	type step struct {
		at     time.Duration
		before vitistackv1alpha1.MachineStatus
		after  vitistackv1alpha1.MachineStatus
		warns  bool
		again  time.Duration
	}
	cases := map[string]struct {
		reason string
		steps  []step
	}{
		"it lasts": {
			reason: "One Warning comes after 30 seconds, and none after it while nothing changes.",
			steps: []step{
				{at: 0, before: good, after: bad, again: 30 * time.Second},
				{at: 10 * time.Second, before: bad, after: bad, again: 20 * time.Second},
				{at: 30 * time.Second, before: bad, after: bad, warns: true},
				{at: time.Hour, before: bad, after: bad},
			},
		},
		"it passes": {
			reason: "What is over within 30 seconds is told to nobody.",
			steps: []step{
				{at: 0, before: good, after: bad, again: 30 * time.Second},
				{at: 20 * time.Second, before: bad, after: good},
				{at: 40 * time.Second, before: good, after: bad, again: 30 * time.Second},
			},
		},
		"its message changes": {
			reason: "Another cause of the same trouble is told too, but not more often than every five minutes.",
			steps: []step{
				{at: 0, before: good, after: bad, again: 30 * time.Second},
				{at: 30 * time.Second, before: bad, after: bad, warns: true},
				{at: 60 * time.Second, before: bad, after: other, again: 270 * time.Second},
				{at: 330 * time.Second, before: other, after: other, warns: true},
			},
		},
		"a new leader finds it": {
			reason: "The former leader told what is an hour old; thousands of Warnings at each start would help nobody.",
			steps: []step{
				{at: 0, before: long, after: long},
				{at: time.Hour, before: long, after: long},
			},
		},
		"a new leader finds it young": {
			reason: "What the former leader had no time to tell is told by the new one.",
			steps: []step{
				{at: 10 * time.Second, before: bad, after: bad, again: 20 * time.Second},
				{at: 30 * time.Second, before: bad, after: bad, warns: true},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var telling observed.Telling
			for i, s := range tc.steps {
				next, warning, again := telling.Next(s.before, s.after, observed.Options{}, now.Add(s.at))
				if (warning != nil) != s.warns || again != s.again {
					t.Errorf("\n%s\nstep %d: Next(...): want a Warning %t and again after %s, got %+v and %s",
						tc.reason, i, s.warns, s.again, warning, again)
				}
				telling = next
			}
		})
	}
}
