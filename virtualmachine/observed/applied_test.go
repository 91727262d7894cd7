package observed_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// about is of which generations a status speaks.
type about struct {
	Status  int64
	Ready   string // status/reason
	ReadyOf int64
	VMOf    int64
}

func aboutOf(s vitistackv1alpha1.MachineStatus) about {
	result := about{Status: s.ObservedGeneration, Ready: summarise(s).Ready}
	if c := s.Condition(vitistackv1alpha1.ConditionReady); c != nil {
		result.ReadyOf = c.ObservedGeneration
	}
	if c := s.Condition(vitistackv1alpha1.ConditionVirtualMachineReady); c != nil {
		result.VMOf = c.ObservedGeneration
	}
	return result
}

// TestApplied is about the generation that a status speaks of, which is the one that was applied.
func TestApplied(t *testing.T) {
	runs := with(virtualMachine("Running"), instance(kubevirtv1.Running))
	ran := input(runs)
	changed := func(in *observed.Input) { in.Machine.Generation = 4 }
	// failed is a reconcile that saw the virtual machine and could not change it.
	failed := func(problems ...observed.Problem) func(*observed.Input) {
		return func(in *observed.Input) { in.Applied, in.Problems = false, problems }
	}
	retrying := func(age time.Duration) observed.Problem {
		p := problem("Retrying")
		p.Condition, p.Since = "VirtualMachineReady", now.Add(-age)
		return p
	}
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   about
	}{
		"a new Machine whose network cannot be made": {
			reason: "Nothing was applied yet, so the status speaks of no generation.",
			in: input(func(in *observed.Input) { in.Ledger.VMUID = "" },
				stoppedAt(observed.StepNetwork, problem("NetworkNamespaceAmbiguous"))),
			want: about{Ready: "False/NetworkNamespaceAmbiguous"},
		},
		"a change that was applied": {
			reason: "Status and conditions speak of the new generation.",
			in:     input(after(ran), changed, runs),
			want:   about{Status: 4, Ready: "True/Ready", ReadyOf: 4, VMOf: 4},
		},
		"a change that the remote cluster refuses": {
			reason: "The status spoke of the new generation although the virtual machine is still as the former one wants it.",
			in:     input(after(ran), changed, runs, failed(problem("Rejected"))),
			want:   about{Status: 3, Ready: "False/Rejected", ReadyOf: 3, VMOf: 3},
		},
		"a change whose call failed just now": {
			reason: "A change that was never carried out is no passing trouble, so Ready says at once that it is tried again.",
			in:     input(after(ran), changed, runs, failed(retrying(0))),
			want:   about{Status: 3, Ready: "False/Retrying", ReadyOf: 3, VMOf: 3},
		},
		"a change that ended early without a problem": {
			reason: "Ready must not be True of a generation that was not applied.",
			in:     input(after(ran), changed, runs, failed()),
			want:   about{Status: 3, Ready: "False/Applying", ReadyOf: 3, VMOf: 3},
		},
		"an unchanged Machine whose call failed just now": {
			reason: "A single failed call of a Machine that is as wanted is no news for the first 30 seconds.",
			in:     input(after(ran), runs, failed(retrying(29*time.Second))),
			want:   about{Status: 3, Ready: "True/Ready", ReadyOf: 3, VMOf: 3},
		},
		"an unchanged Machine whose calls fail for 30 seconds": {
			reason: "A call that fails again and again while the cluster answers was never told to anybody.",
			in:     input(after(ran), runs, failed(retrying(30*time.Second))),
			want:   about{Status: 3, Ready: "False/Retrying", ReadyOf: 3, VMOf: 3},
		},
		"the next failure after one that was told": {
			reason: "What was told stays told while the call is tried again: Ready would flap with every attempt.",
			in:     input(after(input(after(ran), runs, failed(retrying(3*time.Hour)))), runs, failed(retrying(0))),
			want:   about{Status: 3, Ready: "False/Retrying", ReadyOf: 3, VMOf: 3},
		},
		"a changed Machine whose cluster went silent just now": {
			reason: "Ready still speaks of the former generation, and says so.",
			in:     input(after(ran), changed, contactLost("Unreachable", time.Second)),
			want:   about{Status: 3, Ready: "True/Ready", ReadyOf: 3, VMOf: 3},
		},
		"a Machine whose reconcile comes through again": {
			reason: "The trouble is over with the first reconcile that reaches its end.",
			in:     input(after(input(after(ran), changed, runs, failed(retrying(time.Hour)))), changed, runs),
			want:   about{Status: 4, Ready: "True/Ready", ReadyOf: 4, VMOf: 4},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, aboutOf(observed.Status(tc.in))); diff != "" {
				t.Errorf("\n%s\nStatus(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestHeldRetryComesBack: what is hidden for its youth has a time at which it is told.
func TestHeldRetryComesBack(t *testing.T) {
	runs := with(virtualMachine("Running"), instance(kubevirtv1.Running))
	in := input(after(input(runs)), runs, func(in *observed.Input) {
		p := problem("Retrying")
		p.Since = now.Add(-10 * time.Second)
		in.Applied, in.Problems = false, []observed.Problem{p}
	})
	if got := observed.HoldRemaining(in); got != 20*time.Second {
		t.Errorf("HoldRemaining(...): want 20s, got %s", got)
	}
	in.Now = in.Now.Add(20 * time.Second)
	if got := summarise(observed.Status(in)).Ready; got != "False/Retrying" {
		t.Errorf("Ready after the hold: want False/Retrying, got %s", got)
	}
}
