package custody_test

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

func TestPlace(t *testing.T) {
	refused := func(reason string) summary { return summary{Is: custody.Refused, Reason: reason} }
	unanswered := summary{Is: custody.Undecided, Reason: vitistackv1alpha1.ReasonClustersUnanswered}
	legacy := map[string]string{vitistackv1alpha1.LegacyLabelSourceMachine: "web"}
	plainWest := with(plain(), func(vm *custody.Sighting) { vm.UID = "vm-6" })

	cases := map[string]struct {
		reason    string
		reference string
		adopt     string
		recreate  string
		status    string
		ledger    string
		notHeld   bool
		claimants []custody.Claimant
		looks     []custody.Look
		choice    custody.Choice
		want      summary
		tells     string
	}{
		"New": {
			reason: "All clusters answered and the name is free.",
			looks:  []custody.Look{east(), west()},
			choice: custody.Choice{Config: "east"},
			want:   summary{Is: custody.Absent},
		},
		"NewAndNobodyLookedIntoTheChosenCluster": {
			reason: "The chosen cluster must have answered, whoever chose it.",
			looks:  []custody.Look{west()},
			choice: custody.Choice{Config: "east"},
			want:   unanswered,
			tells:  "east",
		},
		"NewAndTheChosenClusterIsSilent": {
			reason: "The chosen cluster may have the VirtualMachine already.",
			looks:  []custody.Look{silent("east"), west()},
			choice: custody.Choice{Config: "east"},
			want:   unanswered,
		},
		"NewAndAnotherClusterIsSilent": {
			reason: "The VirtualMachine may be in the cluster that gives no answer.",
			looks:  []custody.Look{east(), silent("west")},
			choice: custody.Choice{Config: "east"},
			want:   unanswered,
			tells:  "west",
		},
		"SilentUnderOneOfTwoConfigs": {
			reason: "A cluster that answered under one of its configs has answered.",
			looks:  []custody.Look{east(), {Config: "east2", ClusterUID: "c-east", Silent: errSilent}},
			choice: custody.Choice{Config: "east"},
			want:   summary{Is: custody.Absent},
		},
		"OwnVMElsewhereWithoutAReference": {
			reason: "The Machine belongs where its VirtualMachine is, whatever a strategy chose.",
			looks:  []custody.Look{east(original()), west()},
			choice: custody.Choice{Config: "west"},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.Mine},
		},
		"OwnVMElsewhereThanTheReference": {
			reason:    "The author asks for one cluster and the VirtualMachine is in another: a person must decide.",
			reference: "west",
			looks:     []custody.Look{east(original()), west()},
			choice:    custody.Choice{Config: "west"},
			want:      refused(vitistackv1alpha1.ReasonAlreadyPlaced),
			tells:     "its VirtualMachine is in east",
		},
		"OwnVMUnderTheOtherConfigOfTheReferencesCluster": {
			reason:    "The author names the cluster by its other config, and it is the same cluster.",
			reference: "east2",
			looks:     []custody.Look{east(original()), east2(original())},
			choice:    custody.Choice{Config: "east2"},
			want:      summary{Is: custody.Yours, VM: "vm-1", Config: "east2", Relation: custody.Mine},
		},
		"OwnVMTwice": {
			reason: "Two clusters have a VirtualMachine of this Machine, and neither is taken.",
			looks:  []custody.Look{east(original()), west(restored())},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonDuplicateVM),
		},
		"ACloneInTheChosenCluster": {
			reason: "A clone of another name does not keep the Machine from being placed, and is named.",
			looks:  []custody.Look{east(clone()), west()},
			choice: custody.Choice{Config: "east"},
			want:   summary{Is: custody.Absent, Copies: []string{"vm-9 in east"}},
		},
		"StatusRemembersAVMThatIsGone": {
			reason: "The record is lost, the VirtualMachine is gone, and the status is the last that remembers it.",
			status: "vm-1",
			looks:  []custody.Look{east(), west()},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonVanished),
			tells:  "vitistack.io/recreate with the value vm-1",
		},
		"StatusRemembersAVMThatIsGoneAndAPersonConsents": {
			reason:   "A person consents to a new VirtualMachine in place of the one that the status remembers.",
			status:   "vm-1",
			recreate: "vm-1",
			looks:    []custody.Look{east(), west()},
			choice:   custody.Choice{Config: "east"},
			want:     summary{Is: custody.Absent},
		},
		"UnconfirmedLedgerOfAVMThatIsGone": {
			reason: "The operator ended after it recorded the UID and before the status, and then a person deleted the VirtualMachine.",
			ledger: "vm-1",
			looks:  []custody.Look{east(), west()},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonVanished),
			tells:  "vitistack.io/recreate with the value vm-1",
		},
		"UnconfirmedLedgerWithoutTheFinalizer": {
			reason:  "A ledger that came with a copied Machine has no finalizer of ours, and is no memory of a VirtualMachine.",
			ledger:  "vm-1",
			notHeld: true,
			looks:   []custody.Look{east(), west()},
			choice:  custody.Choice{Config: "east"},
			want:    summary{Is: custody.Absent},
		},
		"UnclaimedBySearch": {
			reason: "Search found exactly one unlabelled VirtualMachine of the wanted name in all clusters.",
			looks:  []custody.Look{east(plain()), west()},
			choice: custody.Choice{Config: "east", Searched: true},
			want:   summary{Is: custody.Yours, VM: "vm-5", Config: "east", Relation: custody.Unclaimed},
		},
		"UnclaimedBySearchUnderTwoConfigs": {
			reason: "One VirtualMachine that two configs of its cluster show is exactly one.",
			looks:  []custody.Look{east(plain()), east2(plain())},
			choice: custody.Choice{Config: "east", Searched: true},
			want:   summary{Is: custody.Yours, VM: "vm-5", Config: "east", Relation: custody.Unclaimed},
		},
		"UnclaimedInTwoClusters": {
			reason: "A strategy that calls itself search chose one of two; the judge counts for itself.",
			looks:  []custody.Look{east(plain()), west(plainWest)},
			choice: custody.Choice{Config: "east", Searched: true},
			want:   refused(vitistackv1alpha1.ReasonNameCollision),
			tells:  "east/vm-5",
		},
		"UnclaimedBySearchAndTheAuthorNamesACluster": {
			reason:    "Search has no say where the author names the cluster.",
			reference: "east",
			looks:     []custody.Look{east(plain()), west()},
			choice:    custody.Choice{Config: "east", Searched: true},
			want:      refused(vitistackv1alpha1.ReasonNameCollision),
		},
		"UnclaimedByAnotherStrategy": {
			reason: "A strategy that did not search adopts nothing.",
			looks:  []custody.Look{east(plain()), west()},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonNameCollision),
		},
		"UnclaimedBySearchWhileAClusterIsSilent": {
			reason: "A second one may be in the cluster that gives no answer.",
			looks:  []custody.Look{east(plain()), silent("west")},
			choice: custody.Choice{Config: "east", Searched: true},
			want:   unanswered,
		},
		"UnclaimedByConsent": {
			reason: "A person gave this very VirtualMachine to the Machine.",
			adopt:  "east/vm-5",
			looks:  []custody.Look{east(plain()), west()},
			choice: custody.Choice{Config: "west"},
			want:   summary{Is: custody.Yours, VM: "vm-5", Config: "east", Relation: custody.Unclaimed},
		},
		"UnclaimedByConsentUnderTheOtherConfig": {
			reason: "The person named the cluster by its other config.",
			adopt:  "east2/vm-5",
			looks:  []custody.Look{east(plain()), east2(plain()), west()},
			choice: custody.Choice{Config: "west"},
			want:   summary{Is: custody.Yours, VM: "vm-5", Config: "east", Relation: custody.Unclaimed},
		},
		"UnclaimedInTwoClustersAndOneConsent": {
			reason: "The consent says which of the two.",
			adopt:  "west/vm-6",
			looks:  []custody.Look{east(plain()), west(plainWest)},
			choice: custody.Choice{Config: "west"},
			want:   summary{Is: custody.Yours, VM: "vm-6", Config: "west", Relation: custody.Unclaimed},
		},
		"ConsentWhileAClusterIsSilent": {
			reason: "The Machine's own VirtualMachine may be in the cluster that gives no answer.",
			adopt:  "east/vm-5",
			looks:  []custody.Look{east(plain()), silent("west")},
			choice: custody.Choice{Config: "east"},
			want:   unanswered,
		},
		"ConsentElsewhereThanTheReference": {
			reason:    "Reference and consent name different clusters: a person must decide.",
			reference: "west",
			adopt:     "east/vm-5",
			looks:     []custody.Look{east(plain()), west()},
			choice:    custody.Choice{Config: "west"},
			want:      refused(vitistackv1alpha1.ReasonAlreadyPlaced),
		},
		"ConsentToAVMThatIsNotThere": {
			reason: "A consent that names nothing must not end in a new VirtualMachine.",
			adopt:  "east/vm-7",
			looks:  []custody.Look{east(), west()},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonAdoptionRefused),
			tells:  "east/vm-7",
		},
		"ConsentToAControlledVM": {
			reason: "What a controller owns is never taken over.",
			adopt:  "east/vm-5",
			looks:  []custody.Look{east(with(plain(), func(vm *custody.Sighting) { vm.Controlled = true })), west()},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonAdoptionRefused),
		},
		"ConsentToAnotherSupervisorsVM": {
			reason: "What another supervisor has is never taken over.",
			adopt:  "east/vm-5",
			looks:  []custody.Look{east(of(plain(), labels("x", "sup-2"))), west()},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonAdoptionRefused),
			tells:  "belongs to somebody else",
		},
		"LegacyWithTheAddress": {
			reason: "An earlier release's VirtualMachine with the Machine's address is the Machine's.",
			looks:  []custody.Look{east(), west(of(original(), legacy))},
			choice: custody.Choice{Config: "east"},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "west", Relation: custody.LegacyProven},
		},
		"LegacyWithTheAddressUnderTwoConfigs": {
			reason: "An earlier release's VirtualMachine can be adopted though two configs show it.",
			looks:  []custody.Look{east(of(original(), legacy)), east2(of(original(), legacy))},
			choice: custody.Choice{Config: "east"},
			want:   summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.LegacyProven},
		},
		"LegacyWithTheAddressTwice": {
			reason: "Two VirtualMachines of an earlier release have the address, and a person must say which.",
			looks:  []custody.Look{east(of(original(), legacy)), west(of(restored(), legacy))},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonDuplicateVM),
		},
		"LegacyWithoutTheAddress": {
			reason: "An earlier release's labels name any Machine of this name, and stand in the way.",
			looks:  []custody.Look{east(of(plain(), legacy)), west()},
			choice: custody.Choice{Config: "east", Searched: true},
			want:   refused(vitistackv1alpha1.ReasonNameCollision),
			tells:  "east/vm-5",
		},
		"FormerMachinesVMInTheChosenCluster": {
			reason:    "A Machine that was deleted and made anew is another Machine: it needs consent.",
			reference: "east",
			notHeld:   true,
			looks:     []custody.Look{east(of(original(), former())), west()},
			choice:    custody.Choice{Config: "east"},
			want:      refused(vitistackv1alpha1.ReasonNameCollision),
			tells:     "east/vm-1",
		},
		"FormerMachinesVMElsewhere": {
			reason: "Without a reference the Machine may be the former one after a backup: it is not placed beside its own VirtualMachine.",
			looks:  []custody.Look{east(), west(of(original(), former()))},
			choice: custody.Choice{Config: "east"},
			want:   refused(vitistackv1alpha1.ReasonNameCollision),
		},
		"FormerMachinesVMElsewhereThanTheReference": {
			reason:    "The author names another cluster, so that what an earlier Machine left elsewhere is not in the way.",
			reference: "east",
			notHeld:   true,
			looks:     []custody.Look{east(), west(of(original(), former()))},
			choice:    custody.Choice{Config: "east"},
			want:      summary{Is: custody.Absent},
		},
		"FormerMachinesVMElsewhereThanTheReferenceOfARestoredMachine": {
			reason:    "A Machine with the finalizer and no record was restored; the VirtualMachine may be its own.",
			reference: "east",
			looks:     []custody.Look{east(), west(of(original(), former()))},
			choice:    custody.Choice{Config: "east"},
			want:      refused(vitistackv1alpha1.ReasonNameCollision),
		},
		"InheritanceByConsent": {
			reason:    "The former Machine is gone and a person gives its VirtualMachine to this one.",
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{},
			looks:     []custody.Look{east(of(original(), former())), west()},
			choice:    custody.Choice{Config: "east"},
			want:      summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.OtherMachineGone},
		},
		"InheritanceWhileTheFormerMachineExists": {
			reason:    "The former Machine is still there, so that its VirtualMachine is not given away.",
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{{UIDLabel: formerUID}},
			looks:     []custody.Look{east(of(original(), former())), west()},
			choice:    custody.Choice{Config: "east"},
			want:      refused(vitistackv1alpha1.ReasonAdoptionRefused),
			tells:     "which exists",
		},
		"InheritanceUnderTheOtherConfig": {
			reason:    "The person named the former Machine's VirtualMachine by the other config of its cluster.",
			adopt:     "east2/vm-1",
			claimants: []custody.Claimant{},
			looks:     []custody.Look{east(of(original(), former())), east2(of(original(), former()))},
			choice:    custody.Choice{Config: "east"},
			want:      summary{Is: custody.Yours, VM: "vm-1", Config: "east", Relation: custody.OtherMachineGone},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			subject := web()
			subject.References[0], subject.Adopt, subject.Recreate, subject.StatusVMUID = tc.reference, tc.adopt, tc.recreate,
				tc.status
			subject.Held, subject.LedgerVMUID = !tc.notHeld, tc.ledger
			got := custody.Case{Machine: subject, Looks: tc.looks, Claimants: tc.claimants}.Place(tc.choice)
			check(t, tc.reason, got, tc.want, tc.tells)
		})
	}
}

func TestRefuseFormer(t *testing.T) {
	cases := map[string]struct {
		reason    string
		reference string
		notHeld   bool
		looks     []custody.Look
		want      bool
	}{
		"NothingThere": {
			reason: "Without an earlier Machine's VirtualMachine the strategies' own refusal stands.",
			looks:  []custody.Look{east(), west()},
		},
		"AFormerMachinesVM": {
			reason: "Before a person chooses a cluster he is told that an earlier Machine of this name has a VirtualMachine.",
			looks:  []custody.Look{east(), west(of(original(), former()))},
			want:   true,
		},
		"AFormerMachinesVMAndAReference": {
			reason:    "The author of a new Machine has chosen already.",
			reference: "east",
			notHeld:   true,
			looks:     []custody.Look{east(), west(of(original(), former()))},
		},
		"AFormerMachinesVMAndAReferenceOfARestoredMachine": {
			reason:    "A Machine with the finalizer and no record was restored, so that the reference may be the operator's own.",
			reference: "east",
			looks:     []custody.Look{east(), west(of(original(), former()))},
			want:      true,
		},
		"ACloneOfItsOwn": {
			reason: "A copy is no earlier Machine's.",
			looks:  []custody.Look{east(clone())},
		},
		"OnlySilence": {
			reason: "Silence shows no earlier Machine; what is silent is held elsewhere.",
			looks:  []custody.Look{silent("east")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			subject := web()
			subject.References[1], subject.Held = tc.reference, !tc.notHeld
			got, refused := custody.Case{Machine: subject, Looks: tc.looks}.RefuseFormer()
			if refused != tc.want {
				t.Fatalf("%s\nrefused: -want %v +got %v", tc.reason, tc.want, refused)
			}
			if refused {
				check(t, tc.reason, got, summary{Is: custody.Refused, Reason: vitistackv1alpha1.ReasonNameCollision},
					"earlier Machine")
			}
		})
	}
}
