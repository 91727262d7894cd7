package observed_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// TestOutcomes is what becomes of a Machine whose reconcile did not go through, or whose
// VirtualMachine is not there.
func TestOutcomes(t *testing.T) {
	ips := []string{"10.0.1.21", "2001:db8::10"}
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	crashed := input(with(virtualMachine("CrashLoopBackOff"), nil))
	neverSeen := func(in *observed.Input) { in.Ledger.VMUID = "" }
	notPlaced := input(unplaced(problem("ConfigNotFound")))
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   summary
	}{
		"NoConfigs": {
			reason: "nothing to choose from: a person must act, and is told so in the words of the specification",
			in: input(unplaced(observed.Problem{
				Condition: "Placed", Reason: "NoKubevirtConfigs",
				Message: "machine team-a/m has no KubevirtConfig reference and no KubevirtConfigs are available",
			})),
			want: summary{
				Phase: "Failed", Ready: "False/NoKubevirtConfigs",
				Failure: "NoKubevirtConfigs: machine team-a/m has no KubevirtConfig reference and no KubevirtConfigs are available",
			},
		},
		"InvalidConfig": {
			reason: "an invalid reference: the Machine is Failed", in: notPlaced,
			want: summary{Phase: "Failed", Ready: "False/ConfigNotFound", Failure: "ConfigNotFound: about ConfigNotFound"},
		},
		"PlacedConfigGone": {
			reason: "the same of a Machine that runs is loss of contact: it is not Failed (I4)",
			in:     input(after(ran), stoppedAt(observed.StepPlace, problem("ConfigNotFound"))),
			want: summary{
				Phase: "Running", State: "Running", Ready: "Unknown/ConfigNotFound", VM: "True/Running", IPs: ips,
				Reaching: "False/ConfigNotFound",
			},
		},
		"Unanswered": {
			reason: "a choice that waits for clusters to answer is no failure",
			in:     input(unplaced(problem("ClustersUnanswered"))),
			want:   summary{Phase: "Pending", Ready: "False/ClustersUnanswered"},
		},
		"NothingYet": {
			reason: "a Machine of which nothing is known", in: input(unplaced()),
			want: summary{Phase: "Pending", Ready: "False/Creating"},
		},
		"UnplacedUnreachable": {
			reason: "a cluster that was not chosen yet is none that contact was lost to",
			in:     input(unplaced(problem("Unreachable"))),
			want:   summary{Phase: "Pending", Ready: "False/Unreachable"},
		},
		"PlacedAfterFailure": {
			reason: "once placed, the failure to be placed is over, even if the cluster does not answer yet",
			in:     input(after(notPlaced), neverSeen, contactLost("Unreachable", time.Hour)),
			want:   summary{Phase: "Pending", Ready: "Unknown/Unreachable", Reaching: "False/Unreachable"},
		},
		"PlacedThenConnecting": {
			reason: "and nothing stale is said of it while contact is being made",
			in:     input(after(notPlaced), neverSeen, contactLost("Connecting", 0)),
			want:   summary{Phase: "Pending", Ready: "Unknown/Connecting", Reaching: "Unknown/Connecting"},
		},
		"Unreachable": {
			reason: "phase and addresses stay, Ready is Unknown (D11, I4)",
			in:     input(after(ran), contactLost("Unreachable", time.Minute)),
			want: summary{
				Phase: "Running", State: "Running", Ready: "Unknown/Unreachable", VM: "True/Running", IPs: ips,
				Reaching: "False/Unreachable",
			},
		},
		"UnreachableYoung": {
			reason: "a connection that broke 29 seconds ago is no news",
			in:     input(after(ran), contactLost("Unreachable", 29*time.Second)),
			want: summary{Phase: "Running", State: "Running", Ready: "True/Ready", VM: "True/Running", IPs: ips,
				Reaching: "True/Connected"},
		},
		"Connecting": {
			reason: "after a start of the operator there is no verdict yet, however long ago the last contact was",
			in:     input(after(ran), contactLost("Connecting", time.Hour)),
			want: summary{Phase: "Running", State: "Running", Ready: "True/Ready", VM: "True/Running", IPs: ips,
				Reaching: "True/Connected"},
		},
		"StillUnreachable": {
			reason: "what was told stays told while contact is being made: it would flap with every attempt",
			in:     input(after(input(after(ran), contactLost("Unreachable", 2*time.Hour))), contactLost("Connecting", 0)),
			want: summary{
				Phase: "Running", State: "Running", Ready: "Unknown/Connecting", VM: "True/Running", IPs: ips,
				Reaching: "False/Connecting",
			},
		},
		"UnreachableStale": {
			reason: "what a cache still says of a cluster that does not answer is not looked at",
			in: input(after(ran), contactLost("Unreachable", time.Hour), func(in *observed.Input) {
				in.Looked, in.VM = true, nil
			}),
			want: summary{
				Phase: "Running", State: "Running", Ready: "Unknown/Unreachable", VM: "True/Running", IPs: ips,
				Reaching: "False/Unreachable",
			},
		},
		"BadKubeconfig": {
			reason: "a kubeconfig that a person must mend is told at once, and is no failure of the Machine",
			in: input(after(ran), stoppedAt(observed.StepRemote, observed.Problem{
				Condition: "RemoteReachable", Reason: "BadKubeconfig", Message: "bad", Since: now,
			})),
			want: summary{
				Phase: "Running", State: "Running", Ready: "Unknown/BadKubeconfig", VM: "True/Running", IPs: ips,
				Reaching: "False/BadKubeconfig",
			},
		},
		"FailedThenUnreachable": {
			reason: "a failure that was seen stays until somebody looks again",
			in:     input(after(crashed), contactLost("Unreachable", time.Hour)),
			want: summary{
				Phase: "Failed", State: "CrashLoopBackOff", Ready: "Unknown/Unreachable", VM: "False/CrashLoop",
				Reaching: "False/Unreachable",
				Failure:  "CrashLoop: the virtual machine fails again and again; look at the log of the virt-launcher Pod in the remote cluster",
			},
		},
		"WaitingForAddresses": {
			reason: "a wait for others is no failure",
			in:     input(neverSeen, stoppedAt(observed.StepNetwork, problem("WaitingForAddresses"))),
			want:   summary{Phase: "Creating", Ready: "False/WaitingForAddresses", Reaching: "True/Connected"},
		},
		"UnknownClass": {
			reason: "a class that does not exist, before the VirtualMachine does (D16, D19)",
			in:     input(neverSeen, stoppedAt(observed.StepVM, problem("UnknownClass"))),
			want: summary{
				Phase: "Failed", Ready: "False/UnknownClass", VM: "False/UnknownClass", Reaching: "True/Connected",
				Failure: "UnknownClass: about UnknownClass",
			},
		},
		"UnknownClassRunning": {
			reason: "and after: the virtual machine runs on, and Ready says what is asked for and cannot be",
			in: input(after(ran), with(virtualMachine("Running"), instance(kubevirtv1.Running)), func(in *observed.Input) {
				in.Problems = []observed.Problem{problem("UnknownClass")}
			}),
			want: summary{
				Phase: "Running", State: "Running", Ready: "False/UnknownClass", VM: "False/UnknownClass", IPs: ips,
				Reaching: "True/Connected",
			},
		},
		"BlockedBeforeLooking": {
			reason: "a step that ends before the VirtualMachine is looked at says nothing of it",
			in:     input(after(ran), stoppedAt(observed.StepNetwork, problem("NetworkNamespaceAmbiguous"))),
			want: summary{
				Phase: "Running", State: "Running", Ready: "False/NetworkNamespaceAmbiguous", VM: "True/Running", IPs: ips,
				Reaching: "True/Connected",
			},
		},
		"Rejected": {
			reason: "a VirtualMachine that is not admitted was not told at all (D16)",
			in: input(neverSeen, func(in *observed.Input) {
				in.Reached, in.Problems = observed.StepVM, []observed.Problem{problem("Rejected")}
			}),
			want: summary{Phase: "Failed", Ready: "False/Rejected", VM: "False/Rejected", Reaching: "True/Connected",
				Failure: "Rejected: about Rejected"},
		},
		"Retried": {
			reason: "an error that is tried again is no failure yet",
			in: input(neverSeen, func(in *observed.Input) {
				in.Applied, in.Reached = false, observed.StepVM
				in.Problems = []observed.Problem{{Condition: "VirtualMachineReady", Reason: "Retrying"}}
			}),
			want: summary{Phase: "Creating", Ready: "False/Retrying", VM: "False/Retrying", Reaching: "True/Connected"},
		},
		"Created": {
			reason: "created, and not in the cache yet", in: input(neverSeen),
			want: summary{Phase: "Creating", Ready: "False/Creating", VM: "False/Creating", Reaching: "True/Connected"},
		},
		"Vanished": {
			reason: "a VirtualMachine that was there and is gone takes consent, and takes its addresses with it (D18)",
			in: input(after(ran), func(in *observed.Input) {
				in.Problems = []observed.Problem{problem("Vanished")}
			}),
			want: summary{Phase: "Failed", Ready: "False/Vanished", VM: "False/Vanished", Reaching: "True/Connected",
				Failure: "Vanished: about Vanished"},
		},
		"ReferenceChanged": {
			reason: "a Machine that asks for another cluster stays placed and is observed; only Ready objects (I10)",
			in: input(after(ran), with(virtualMachine("Running"), instance(kubevirtv1.Running)), func(in *observed.Input) {
				in.Problems = []observed.Problem{problem("ReferenceChanged")}
			}),
			want: summary{Phase: "Running", State: "Running", Ready: "False/ReferenceChanged", VM: "True/Running", IPs: ips,
				Reaching: "True/Connected"},
		},
		"RestartRequired": {
			reason: "a change that waits for the next start is told, and hurts nobody",
			in: input(with(virtualMachine("Running", machineCondition(kubevirtv1.VirtualMachineRestartRequired, "", "")),
				instance(kubevirtv1.Running))),
			want: summary{Phase: "Running", State: "Running", Ready: "True/RestartRequired", VM: "True/Running", IPs: ips,
				Reaching: "True/Connected"},
		},
		"LedgerInvalid": {
			reason: "a ledger that cannot be read: a person must act, and the virtual machine that was seen is not Failed",
			in: input(after(ran), func(in *observed.Input) {
				in.Ledger, in.Looked, in.Reached = nil, false, observed.StepPlace
				in.Problems = []observed.Problem{problem("LedgerInvalid")}
			}),
			want: summary{Phase: "Running", State: "Running", Ready: "False/LedgerInvalid", VM: "True/Running", IPs: ips,
				Reaching: "True/Connected"},
		},
		"about to start": {
			reason: "KubeVirt calls a VirtualMachine stopped until it gets round to its start: a new Machine showed Stopped on its way up",
			in: input(with(virtualMachine("Stopped", func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyAlways)
			}), nil)),
			want: summary{Phase: "Creating", State: "Stopped", Ready: "False/Starting", VM: "False/Starting",
				Reaching: "True/Connected"},
		},
		"Stopped": {
			reason: "a stopped Machine kept its addresses as if it had them (D22)",
			in:     input(after(ran), with(virtualMachine("Stopped"), nil)),
			want: summary{Phase: "Stopped", State: "Stopped", Ready: "True/Ready", VM: "True/Stopped",
				Reaching: "True/Connected"},
		},
		"Deleting": {
			reason: "a deletion is one from the first moment",
			in:     input(after(ran), deleting, with(virtualMachine("Terminating"), instance(kubevirtv1.Running))),
			want: summary{
				Phase: "Terminating", State: "Terminating", Ready: "False/Deleting", VM: "False/Stopping", IPs: ips,
				Reaching: "True/Connected",
			},
		},
		"DeletingLeftovers": {
			reason: "the VirtualMachine is gone and its disks are not",
			in: input(after(ran), deleting, func(in *observed.Input) {
				in.Problems = []observed.Problem{problem("Deleting")}
			}),
			want: summary{Phase: "Terminating", Ready: "False/Deleting", VM: "True/Running", Reaching: "True/Connected"},
		},
		"Deleted": {
			reason: "all is gone", in: input(after(ran), deleting),
			want: summary{Phase: "Terminated", Ready: "False/Deleting", VM: "True/Running", Reaching: "True/Connected"},
		},
		"DeletedUnplaced": {
			reason: "a Machine that never had a place has nothing to wait for (D6)",
			in:     input(after(notPlaced), unplaced(), deleting),
			want:   summary{Phase: "Terminated", Ready: "False/Deleting"},
		},
		"DeletingUnreachable": {
			reason: "nobody can tell what is left", in: input(after(ran), deleting, contactLost("Unauthorized", time.Hour)),
			want: summary{
				Phase: "Terminating", State: "Running", Ready: "Unknown/Unauthorized", VM: "True/Running", IPs: ips,
				Reaching: "False/Unauthorized",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := summarise(observed.Status(tc.in))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nStatus(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestHoldRemaining(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   time.Duration
	}{
		"None": {reason: "nothing is held", in: ran},
		"Young": {reason: "the rest of the 30 seconds", in: input(after(ran), contactLost("Unreachable", 10*time.Second)),
			want: 20 * time.Second},
		"Old": {reason: "it is told", in: input(after(ran), contactLost("Unreachable", 30*time.Second))},
		"Told": {reason: "it was told",
			in: input(after(input(contactLost("Unreachable", 2*time.Hour))), contactLost("Unreachable", 0))},
		"OwnOption": {
			reason: "a site's own patience", want: 50 * time.Second,
			in: input(after(ran), contactLost("Unreachable", 10*time.Second), func(in *observed.Input) {
				in.Options.Hold = time.Minute
			}),
		},
		"NoHold": {
			reason: "or none", in: input(after(ran), contactLost("Unreachable", 0), func(in *observed.Input) {
				in.Options.Hold = -1
			}),
		},
		"NoSince": {reason: "lost long ago", in: input(after(ran), stoppedAt(observed.StepRemote, problem("Unreachable")))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := observed.HoldRemaining(tc.in); got != tc.want {
				t.Errorf("\n%s\nHoldRemaining(...): want %s, got %s", tc.reason, tc.want, got)
			}
			said := summarise(observed.Status(tc.in)).Reaching
			if held := said == "True/Connected"; tc.in.Problems != nil && held != (tc.want > 0) {
				t.Errorf("\n%s\nStatus(...) says %q while %s are left", tc.reason, said, tc.want)
			}
		})
	}
}

// TestLedgerKept: where ledger and status differ, the status is the only other witness, and stays.
func TestLedgerKept(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	conflict := input(after(ran), stoppedAt(observed.StepPlace, problem("LedgerConflict")))
	conflict.Ledger.Config, conflict.Ledger.VMName = "cluster-west", "vm-other"
	got := observed.Status(conflict)
	want := &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "cluster-east", ClusterUID: "cluster-uid"}
	if diff := cmp.Diff(want, got.KubevirtConfigRef); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"vm-m", "kubevirt://cluster-east/team-a/vm-m"},
		[]string{got.VMName, got.ProviderID}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHoldEndsBetweenSeconds: times in a status have whole seconds. Where contact was lost in the
// middle of one, the status was not due yet at the very moment at which nobody was to come back any
// more, so that nothing was ever told.
func TestHoldEndsBetweenSeconds(t *testing.T) {
	in := input(deleting, contactLost(vitistackv1alpha1.ReasonUnreachable, 0))
	since := now.Add(600 * time.Millisecond)
	in.Problems[0].Since, in.Now = since, since
	for range 3 {
		remaining := observed.HoldRemaining(in)
		if remaining == 0 {
			break
		}
		in.Now = in.Now.Add(remaining + time.Millisecond)
	}
	status := observed.Status(in)
	if ready := status.Condition(vitistackv1alpha1.ConditionReady); ready == nil ||
		ready.Reason != vitistackv1alpha1.ReasonUnreachable {
		t.Errorf("after %s Ready is %+v", in.Now.Sub(since), ready)
	}
}
