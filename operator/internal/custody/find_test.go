package custody_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// noAddress returns a VirtualMachine without any address.
func noAddress(vm custody.Sighting) custody.Sighting {
	vm.MACs = nil
	return vm
}

// of returns a VirtualMachine with other labels.
func of(vm custody.Sighting, labels map[string]string) custody.Sighting {
	vm.Labels = labels
	return vm
}

func TestFind(t *testing.T) {
	unanswered := summary{Is: custody.Undecided, Reason: vitistackv1alpha1.ReasonClustersUnanswered}

	cases := map[string]struct {
		reason    string
		record    *custody.Record
		adopt     string
		claimants []custody.Claimant
		looks     []custody.Look
		want      summary
		tells     string
	}{
		"NotPlaced": {
			reason: "A Machine without a record has no VirtualMachine by record.",
			looks:  []custody.Look{east(original())},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonRecordUnconfirmed},
		},
		"There": {
			reason: "The recorded VirtualMachine is there.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(original())},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"ThereBesideAClone": {
			reason: "The recorded VirtualMachine is the Machine's and the clone is named, so that both are told apart for ever.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(clone(), original())},
			want: summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine,
				Copies: []string{"vm-9 in east"}},
		},
		"ThereBesideACloneThatAPersonConsentedTo": {
			reason: "While the recorded VirtualMachine is there, a consent to a copy changes nothing.",
			record: recorded(ledger()),
			adopt:  "east/vm-9",
			looks:  []custody.Look{east(original(), clone())},
			want: summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine,
				Copies: []string{"vm-9 in east"}},
		},
		"UnderItsOldNameBesideAFormerMachinesVMOfTheWantedName": {
			reason: "A former Machine's VirtualMachine of the wanted name does not hide the recorded one.",
			record: recorded(ledger()),
			looks: []custody.Look{east(
				of(restored(), former()),
				with(original(), func(vm *custody.Sighting) { vm.Name = "web" }),
			)},
			want: summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"SeenUnderTwoConfigsOfOneCluster": {
			reason: "One VirtualMachine that two configs show is one VirtualMachine.",
			record: recorded(ledger()),
			looks:  []custody.Look{east2(original()), east(original())},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"SilentUnderOneOfTwoConfigsOfItsCluster": {
			reason: "A cluster that answered under one config has answered.",
			record: recorded(ledger()),
			looks: []custody.Look{
				{Config: "east", ClusterUID: "c-east", Silent: errSilent},
				east2(original()),
			},
			want: summary{Is: custody.Yours, VM: "vm-1", Config: "east2", Relation: custody.Mine},
		},
		"Silent": {
			reason: "Silence is no absence, so that nothing is concluded.",
			record: recorded(ledger()),
			looks: []custody.Look{{Config: "east", ClusterUID: "c-east", Silent: errSilent,
				Found: []custody.Sighting{original()}}},
			want:  unanswered,
			tells: "east",
		},
		"SilentElsewhere": {
			reason: "Silence of a cluster that the record does not name concerns nobody.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(), silent("west")},
			want:   summary{Is: custody.Absent},
		},
		"NobodyLookedIntoItsCluster": {
			reason: "A look into another cluster is no answer from the recorded one.",
			record: recorded(ledger()),
			looks:  []custody.Look{west()},
			want:   unanswered,
			tells:  "east",
		},
		"AnswerOfAClusterThatCannotSayWhichItIs": {
			reason: "An empty answer from a cluster whose identity cannot be read is no absence in the recorded one.",
			record: recorded(ledger()),
			looks:  []custody.Look{saw("east", "")},
			want:   unanswered,
		},
		"AnswerOfAnotherClusterBehindTheConfig": {
			reason: "A config that leads elsewhere says nothing about the recorded cluster.",
			record: recorded(ledger()),
			looks:  []custody.Look{saw("east", "c-other")},
			want:   unanswered,
		},
		"Gone": {
			reason: "The recorded cluster answered that there is nothing of the Machine's.",
			record: recorded(ledger()),
			looks:  []custody.Look{east()},
			want:   summary{Is: custody.Absent},
		},
		"GoneAndACloneIsLeft": {
			reason: "A clone does not stand in for the VirtualMachine that a person deleted.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(clone())},
			want:   summary{Is: custody.Absent, Copies: []string{"vm-9 in east"}},
		},
		"GoneAndAPersonGaveTheClone": {
			reason: "After the original is gone, a consent makes the clone the Machine's.",
			record: recorded(ledger()),
			adopt:  "east/vm-9",
			looks:  []custody.Look{east(clone())},
			want:   summary{Is: custody.Yours, VM: "vm-9", Config: "east", Relation: custody.Restored},
		},
		"Restored": {
			reason: "What a backup tool brought back under a new UID is taken up, and said to be that.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(restored())},
			want:   summary{Is: custody.Yours, VM: "vm-2", Config: "east", Relation: custody.Restored},
		},
		"RestoredWithoutItsAddress": {
			reason: "What has the name and cannot be told from a copy needs a person's consent.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(noAddress(restored()))},
			want: summary{
				Is: custody.Refused, Reason: vitistackv1alpha1.ReasonNameCollision, Copies: []string{"vm-2 in east"},
			},
			tells: "east/vm-2",
		},
		"LearningTheUID": {
			reason: "The creation went through before the operator ended, and is recognised by its nonce.",
			record: recorded(intent()),
			looks:  []custody.Look{east(original(), clone())},
			want: summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine,
				Copies: []string{"vm-9 in east"}},
		},
		"InheritedAndNotYetLabelled": {
			reason:    "The operator ended between recording an inherited VirtualMachine and labelling it; consent and absence of claims still hold.",
			record:    recorded(ledger()),
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{},
			looks:     []custody.Look{east(of(original(), former()))},
			want:      summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.OtherMachineGone},
		},
		"InheritedAndClaimedSince": {
			reason:    "The former Machine came back before its VirtualMachine was labelled anew: it stays the former one's.",
			record:    recorded(ledger()),
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{{UIDLabel: formerUID}},
			looks:     []custody.Look{east(of(original(), former()))},
			want:      summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonNameCollision},
		},
		"AdoptedAndNotYetLabelled": {
			reason: "The operator ended between recording an unclaimed VirtualMachine and labelling it.",
			record: recorded(edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.VMUID = "vm-5" })),
			looks:  []custody.Look{east(plain())},
			want:   summary{Is: custody.Yours, VM: "vm-5", Config: "east", Relation: custody.Mine},
		},
		"NameTakenByAnotherSupervisor": {
			reason: "Another supervisor has the name, and no consent would help.",
			record: recorded(intent()),
			looks:  []custody.Look{east(of(restored(), labels("other", "sup-2")))},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonNameCollision},
			tells:  "belongs to somebody else",
		},
		"NameTakenByAnUnlabelledVM": {
			reason: "An unlabelled VirtualMachine has the name of the one to be made, and the message says what takes it over.",
			record: recorded(intent()),
			looks:  []custody.Look{east(plain())},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonNameCollision},
			tells:  "east/vm-5",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			subject := web()
			subject.Adopt = tc.adopt
			got := custody.Case{Machine: subject, Record: tc.record, Looks: tc.looks, Claimants: tc.claimants}.Find()
			check(t, tc.reason, got, tc.want, tc.tells)
		})
	}
}

// check compares a finding with what a row wants. tells is a part of the message.
func check(t *testing.T, reason string, got custody.Finding, want summary, tells string) {
	t.Helper()
	if diff := cmp.Diff(want, sum(got)); diff != "" {
		t.Errorf("%s\nfinding: -want +got\n%s", reason, diff)
	}
	if !strings.Contains(got.Message, tells) {
		t.Errorf("%s\nmessage %q does not tell %q", reason, got.Message, tells)
	}
}

func TestMayCreate(t *testing.T) {
	cases := map[string]struct {
		reason   string
		record   *custody.Record
		recreate string
		looks    []custody.Look
		want     summary
		tells    string
	}{
		"NoRecord": {
			reason: "Nothing is made before its place is recorded.",
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonRecordUnconfirmed},
		},
		"NeverMade": {
			reason: "The record names no VirtualMachine yet, so that the first one may be made.",
			record: recorded(intent()),
			looks:  []custody.Look{east()},
			want:   summary{Is: custody.Absent},
		},
		"Vanished": {
			reason: "A VirtualMachine that was there is not silently made anew and empty.",
			record: recorded(ledger()),
			looks:  []custody.Look{east()},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonVanished},
			tells:  "vitistack.io/recreate with the value vm-1",
		},
		"VanishedAndACloneIsLeft": {
			reason: "A person is told that the clone could be taken over in place of a new and empty one.",
			record: recorded(ledger()),
			looks:  []custody.Look{east(clone())},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonVanished},
			tells:  "vitistack.io/adopt with the value east/vm-9",
		},
		"Consented": {
			reason:   "A person consents to a new VirtualMachine in place of this very one.",
			record:   recorded(ledger()),
			recreate: "vm-1",
			looks:    []custody.Look{east()},
			want:     summary{Is: custody.Absent},
		},
		"ConsentOfLastTime": {
			reason:   "A consent that stands since an earlier VirtualMachine vanished counts for that one alone.",
			record:   recorded(ledger()),
			recreate: "vm-0",
			looks:    []custody.Look{east()},
			want:     summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonVanished},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			subject := web()
			subject.Recreate = tc.recreate
			got := custody.Case{Machine: subject, Record: tc.record, Looks: tc.looks}.MayCreate()
			check(t, tc.reason, got, tc.want, tc.tells)
		})
	}
}

func TestFindLost(t *testing.T) {
	cases := map[string]struct {
		reason string
		status string
		adopt  string
		looks  []custody.Look
		want   summary
		tells  string
	}{
		"NeverPlaced": {
			reason: "All clusters answered and none has anything of the Machine's.",
			looks:  []custody.Look{east(), west()},
			want:   summary{Is: custody.Absent},
		},
		"OneCandidate": {
			reason: "One VirtualMachine with the Machine's labels, name and address is what the record was about.",
			looks:  []custody.Look{east(original()), west()},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"OneCandidateUnderTwoConfigs": {
			reason: "One VirtualMachine that two configs of its cluster show is no duplicate.",
			looks:  []custody.Look{east(original()), east2(original())},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"OneCandidateAndAClone": {
			reason: "A clone of another name is no candidate and is named as a copy.",
			looks:  []custody.Look{east(clone(), original())},
			want: summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine,
				Copies: []string{"vm-9 in east"}},
		},
		"TheStatusKnowsWhichOfTwo": {
			reason: "Two clusters have one with labels, name and address; the status knows the UID of one, and the other needs a person.",
			status: "vm-1",
			looks:  []custody.Look{east(original()), west(restored())},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonDuplicateVM},
			tells:  "vm-2",
		},
		"SeveralCandidates": {
			reason: "Two clusters have one each and nothing tells them apart, so that a person must.",
			looks:  []custody.Look{east(original()), west(restored())},
			want:   summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonDuplicateVM},
			tells:  "VirtualMachine vm-web (vm-1) in east; VirtualMachine vm-web (vm-2) in west",
		},
		"TheCloneAloneIsLeft": {
			reason: "The original was deleted by a person; the clone is not silently taken for it.",
			status: "vm-1",
			looks:  []custody.Look{east(clone()), west()},
			want:   summary{Is: custody.Absent, Copies: []string{"vm-9 in east"}},
		},
		"APersonGaveTheClone": {
			reason: "A consent makes the clone the Machine's where nothing else is.",
			status: "vm-1",
			adopt:  "east/vm-9",
			looks:  []custody.Look{east(clone()), west()},
			want:   summary{Is: custody.Yours, VM: "vm-9", Config: "east", Relation: custody.Restored},
		},
		"Restored": {
			reason: "The record is lost and the VirtualMachine came back under another UID than the status remembers; that is told.",
			status: "vm-1",
			looks:  []custody.Look{east(restored()), west()},
			want:   summary{Is: custody.Yours, VM: "vm-2", Config: "east", Relation: custody.Restored},
		},
		"HitWhileAnotherClusterIsSilent": {
			reason: "A VirtualMachine with the Machine's own UID needs no other answer.",
			looks:  []custody.Look{east(original()), silent("west")},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"NothingWhileAClusterIsSilent": {
			reason: "The VirtualMachine may be in the cluster that gives no answer.",
			looks:  []custody.Look{east(), silent("west")},
			want:   summary{Is: custody.Undecided, Reason: vitistackv1alpha1.ReasonClustersUnanswered},
			tells:  "west",
		},
		"AVMOfAFormerMachine": {
			reason: "What was made for an earlier Machine of this name is not this Machine's by its name.",
			looks:  []custody.Look{east(of(original(), former())), west()},
			want:   summary{Is: custody.Absent},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			subject := web()
			subject.StatusVMUID, subject.Adopt = tc.status, tc.adopt
			got := custody.Case{Machine: subject, Looks: tc.looks}.FindLost()
			check(t, tc.reason, got, tc.want, tc.tells)
		})
	}
}
