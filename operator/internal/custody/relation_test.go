package custody_test

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

func TestRelation(t *testing.T) {
	supervisorOnly := map[string]string{vitistackv1alpha1.LabelSupervisorUID: "sup"}
	legacy := func(name string) map[string]string {
		return map[string]string{vitistackv1alpha1.LegacyLabelSourceMachine: name}
	}
	halfNew := func(name string) map[string]string {
		return map[string]string{vitistackv1alpha1.LabelSourceMachine: name}
	}
	labelled := func(vm custody.Sighting, labels map[string]string) custody.Sighting {
		return with(vm, func(vm *custody.Sighting) { vm.Labels = labels })
	}
	controlled := func(vm custody.Sighting) custody.Sighting {
		return with(vm, func(vm *custody.Sighting) { vm.Controlled = true })
	}
	withMACs := func(vm custody.Sighting, macs ...string) custody.Sighting {
		return with(vm, func(vm *custody.Sighting) { vm.MACs = macs })
	}

	cases := map[string]struct {
		reason    string
		record    *custody.Record
		status    string
		adopt     string
		macs      []string
		claimants []custody.Claimant
		looks     []custody.Look
		look      custody.Look
		vm        custody.Sighting
		want      custody.Relation
	}{
		"RecordedByUID": {
			reason: "The record names the VirtualMachine by cluster UID and object UID, so that it is the Machine's.",
			record: recorded(ledger()),
			look:   east(),
			vm:     original(),
			want:   custody.Mine,
		},
		"RecordedButLabelsTakenOff": {
			reason: "A person may take labels off; the recorded UID is proof by itself.",
			record: recorded(ledger()),
			look:   east(),
			vm:     labelled(original(), nil),
			want:   custody.Mine,
		},
		"RecordedUnderAnotherConfigOfTheCluster": {
			reason: "Two KubevirtConfigs that lead to one cluster are one cluster to the record.",
			record: recorded(ledger()),
			look:   east2(),
			vm:     original(),
			want:   custody.Mine,
		},
		"RecordedUIDButAnotherSupervisorsLabel": {
			reason: "What carries another supervisor's UID is never taken, even where a record names it.",
			record: recorded(ledger()),
			look:   east(),
			vm:     labelled(original(), labels(machineUID, "sup-2")),
			want:   custody.Foreign,
		},
		"RecordedUIDOfAnotherMachinesVM": {
			reason: "A ledger that was copied from a Machine names that one's VirtualMachine, whose labels still tell whose it is.",
			record: recorded(ledger()),
			look:   east(),
			vm:     labelled(original(), former()),
			want:   custody.OtherMachine,
		},
		"RecordedUIDInAnotherCluster": {
			reason: "A restored etcd can give two clusters an object of one UID; only that of the recorded cluster is the Machine's.",
			record: recorded(ledger()),
			look:   west(),
			vm:     original(),
			want:   custody.Copy,
		},
		"ClusterCannotSayWhichItIs": {
			reason: "A known cluster UID that cannot be read back is never waived: the config may lead elsewhere by now.",
			record: recorded(ledger()),
			look:   saw("east", ""),
			vm:     original(),
			want:   custody.Copy,
		},
		"ClusterThatNeverHadAUID": {
			reason: "A record without a cluster UID can only go by the name of the KubevirtConfig.",
			record: recorded(edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.ClusterUID = "" })),
			look:   saw("east", ""),
			vm:     original(),
			want:   custody.Mine,
		},
		"ClusterWhoseNewUIDWasAccepted": {
			reason: "A person accepted that the config stands for a rebuilt cluster, so that the record's cluster UID is a former one of it.",
			record: &custody.Record{Ledger: ledger(), FormerClusterUIDs: []string{"c-east"}},
			look:   saw("east", "c-east-2"),
			vm:     original(),
			want:   custody.Mine,
		},
		"ClusterWhoseNewUIDNobodyAccepted": {
			reason: "A config that leads to another cluster without a person's consent shows nothing of the Machine's.",
			record: recorded(ledger()),
			look:   saw("east", "c-east-2"),
			vm:     original(),
			want:   custody.Copy,
		},
		"CreatedAndNotYetLearnt": {
			reason: "Between the creation and the next write, name, nonce and labels tell the VirtualMachine.",
			record: recorded(intent()),
			look:   east(),
			vm:     original(),
			want:   custody.Mine,
		},
		"CloneWithTheNonceBeforeTheUIDIsLearnt": {
			reason: "A clone carries the annotations too, so that the nonce counts only together with the name.",
			record: recorded(intent()),
			look:   east(),
			vm:     clone(),
			want:   custody.Copy,
		},
		"NonceWithoutLabels": {
			reason: "Whoever reads a Machine can copy its nonce; without the labels that proves nothing.",
			record: recorded(intent()),
			look:   east(),
			vm:     labelled(original(), nil),
			macs:   []string{otherMAC},
			want:   custody.Unclaimed,
		},
		"NoNonceOnEitherSide": {
			reason: "Two nonces that are both missing are no equal nonces.",
			record: recorded(edited(intent(), func(l *vitistackv1alpha1.Ledger) { l.Nonce = "" })),
			look:   east(),
			vm:     with(original(), func(vm *custody.Sighting) { vm.Nonce, vm.MACs = "", nil }),
			want:   custody.Copy,
		},
		"CreationOfAnEarlierIntentArrivesLate": {
			reason: "A creation under an earlier nonce of the same Machine has its name and address, and is taken up.",
			record: recorded(edited(intent(), func(l *vitistackv1alpha1.Ledger) { l.Nonce = "n-2" })),
			look:   east(),
			vm:     original(),
			want:   custody.Restored,
		},
		"RestoredWithItsAddress": {
			reason: "A backup tool brought it back under a new UID, with the Machine's labels, name and MAC address.",
			record: recorded(ledger()),
			look:   east(),
			vm:     restored(),
			want:   custody.Restored,
		},
		"RestoredWithItsAddressInCapitals": {
			reason: "MAC addresses are compared without regard to case.",
			record: recorded(ledger()),
			macs:   []string{"02:00:00:00:00:ab"},
			look:   east(),
			vm:     withMACs(restored(), "02:00:00:00:00:AB"),
			want:   custody.Restored,
		},
		"RestoredWithoutAnAddress": {
			reason: "Without an address of the Machine, what came back cannot be told from a copy.",
			record: recorded(ledger()),
			look:   east(),
			vm:     withMACs(restored()),
			want:   custody.Copy,
		},
		"RestoredWhereNeitherSideHasAnAddress": {
			reason: "An interface without an address shares no address with another one that has none.",
			record: recorded(ledger()),
			macs:   []string{""},
			look:   east(),
			vm:     withMACs(restored(), ""),
			want:   custody.Copy,
		},
		"RestoredWithoutAnAddressButConsent": {
			reason: "A person may say that what came back is the Machine's.",
			record: recorded(ledger()),
			adopt:  "east/vm-2",
			look:   east(),
			vm:     withMACs(restored()),
			want:   custody.Restored,
		},
		"ConsentUnderTheOtherConfigOfTheCluster": {
			reason: "A person may name the cluster by either of the two KubevirtConfigs that lead to it.",
			record: recorded(ledger()),
			adopt:  "east2/vm-2",
			looks:  []custody.Look{east(), east2()},
			look:   east(),
			vm:     withMACs(restored()),
			want:   custody.Restored,
		},
		"ConsentToAnotherCluster": {
			reason: "A consent names one cluster; the same object UID in another one is not meant.",
			record: recorded(ledger()),
			adopt:  "west/vm-2",
			looks:  []custody.Look{east(), west()},
			look:   east(),
			vm:     withMACs(restored()),
			want:   custody.Copy,
		},
		"ConsentToALaterUID": {
			reason: "A consent names one VirtualMachine by its UID and does not pass to the next of that name.",
			record: recorded(ledger()),
			adopt:  "east/vm-1",
			look:   east(),
			vm:     withMACs(restored()),
			want:   custody.Copy,
		},
		"CloneInTheRecordedCluster": {
			reason: "KubeVirt copies labels, annotations and often addresses to a clone, which is a person's all the same.",
			record: recorded(ledger()),
			look:   east(),
			vm:     clone(),
			want:   custody.Copy,
		},
		"CopyOfTheSameNameInAnotherCluster": {
			reason: "An export that was imported elsewhere has name, labels and address; the record says where the Machine is.",
			record: recorded(ledger()),
			look:   west(),
			vm:     restored(),
			want:   custody.Copy,
		},
		"ConsentToACopyInAnotherClusterThanRecorded": {
			reason: "A placed Machine is not moved by an adoption, whatever the consent says.",
			record: recorded(ledger()),
			adopt:  "west/vm-2",
			look:   west(),
			vm:     restored(),
			want:   custody.Copy,
		},
		"CopyThatAPoolControls": {
			reason: "A pool that was made from the Machine's manifest carries its labels and is controlled; it is never taken, not even by consent.",
			record: recorded(ledger()),
			adopt:  "east/vm-2",
			look:   east(),
			vm:     controlled(restored()),
			want:   custody.Copy,
		},
		"LostRecordAndTheStatusKnowsTheUID": {
			reason: "The status remembers the UID, so that the VirtualMachine is known without the ledger.",
			status: "vm-1",
			look:   east(),
			vm:     original(),
			want:   custody.Mine,
		},
		"LostRecordAndACloneBesideIt": {
			reason: "The status remembers another UID than the clone's, so that the clone is a copy.",
			status: "vm-1",
			look:   east(),
			vm:     clone(),
			want:   custody.Copy,
		},
		"LostRecordAndRestoredVM": {
			reason: "The status remembers a UID that came back under another one, with name and address.",
			status: "vm-1",
			look:   east(),
			vm:     restored(),
			want:   custody.Restored,
		},
		"LostRecordAndNoStatus": {
			reason: "Nothing is left but labels, name and address; together they tell the VirtualMachine of a restored supervisor.",
			look:   east(),
			vm:     original(),
			want:   custody.Mine,
		},
		"LostRecordAndNoStatusAndAnotherAddress": {
			reason: "An address that is not the Machine's speaks against a VirtualMachine that only labels and name speak for.",
			look:   east(),
			vm:     withMACs(original(), otherMAC),
			want:   custody.Copy,
		},
		"LostRecordAndNoAddressesKnown": {
			reason: "Where one side has no address, addresses say nothing, for and against.",
			macs:   []string{""},
			look:   east(),
			vm:     original(),
			want:   custody.Mine,
		},
		"LostRecordAndNoStatusAndAClone": {
			reason: "A clone has another name than the Machine's VirtualMachine, so that it stays a copy.",
			look:   east(),
			vm:     clone(),
			want:   custody.Copy,
		},
		"LostRecordAndAControlledCopy": {
			reason: "The operator never makes a VirtualMachine with a controller, so that a controlled one is a copy.",
			look:   east(),
			vm:     controlled(original()),
			want:   custody.Copy,
		},
		"ForeignSupervisor": {
			reason: "Another supervisor's VirtualMachine is never ours, whatever its name is and whoever consents.",
			adopt:  "east/vm-1",
			look:   east(),
			vm:     labelled(original(), labels("elsewhere", "sup-2")),
			want:   custody.Foreign,
		},
		"MachineLabelWithoutSupervisor": {
			reason: "Half of the labels could be anybody's, so that they are no claim.",
			look:   east(),
			vm:     labelled(original(), labels(machineUID, "")),
			want:   custody.Foreign,
		},
		"AnotherMachinesLabelWithoutSupervisor": {
			reason: "A half-labelled VirtualMachine of another Machine cannot be taken over by consent.",
			adopt:  "east/vm-1",
			look:   east(),
			vm:     labelled(original(), labels(formerUID, "")),
			want:   custody.Foreign,
		},
		"SupervisorLabelWithoutMachine": {
			reason: "A VirtualMachine that says which supervisor but not which Machine is not adopted as unclaimed.",
			look:   east(),
			vm:     labelled(original(), supervisorOnly),
			want:   custody.Foreign,
		},
		"FormerMachine": {
			reason: "It was made for an earlier Machine of this name, which may still be claimed.",
			look:   east(),
			vm:     labelled(original(), former()),
			want:   custody.OtherMachine,
		},
		"FormerMachineOfAnotherName": {
			reason: "It was made for a Machine of another name and has nothing to do with this one.",
			adopt:  "east/vm-1",
			look:   east(),
			vm: with(original(), func(vm *custody.Sighting) {
				vm.Labels = former()
				vm.Labels[vitistackv1alpha1.LabelSourceMachine] = "db"
			}),
			claimants: []custody.Claimant{},
			want:      custody.Foreign,
		},
		"FormerMachineWithConsentAndNobodyAsked": {
			reason: "Without the list of the other Machines nobody knows whether the former one is gone.",
			adopt:  "east/vm-1",
			look:   east(),
			vm:     labelled(original(), former()),
			want:   custody.OtherMachine,
		},
		"FormerMachineWithConsentAndGone": {
			reason:    "The former Machine is gone, nobody else names the VirtualMachine, and a person consents.",
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{{UIDLabel: "db-1"}},
			look:      east(),
			vm:        labelled(original(), former()),
			want:      custody.OtherMachineGone,
		},
		"FormerMachineWithoutConsentAndGone": {
			reason:    "That the former Machine is gone gives nobody its VirtualMachine.",
			claimants: []custody.Claimant{},
			look:      east(),
			vm:        labelled(original(), former()),
			want:      custody.OtherMachine,
		},
		"FormerMachineStillThere": {
			reason:    "The Machine that the labels name exists, so that no consent of another one counts.",
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{{UIDLabel: formerUID}},
			look:      east(),
			vm:        labelled(original(), former()),
			want:      custody.OtherMachine,
		},
		"FormerMachinesVMInAnotherLedger": {
			reason:    "A third Machine's ledger names the VirtualMachine: it inherited it first.",
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{{UIDLabel: "db-1", VMUID: "vm-1"}},
			look:      east(),
			vm:        labelled(original(), former()),
			want:      custody.OtherMachine,
		},
		"FormerMachinesVMThatAPoolControls": {
			reason:    "What a controller owns is never taken over.",
			adopt:     "east/vm-1",
			claimants: []custody.Claimant{},
			look:      east(),
			vm:        controlled(labelled(original(), former())),
			want:      custody.Foreign,
		},
		"Unlabelled": {
			reason: "A VirtualMachine without any label of ours may be adopted by search or by consent.",
			look:   east(),
			vm:     plain(),
			want:   custody.Unclaimed,
		},
		"UnlabelledAndControlled": {
			reason: "What a controller owns is never taken over.",
			adopt:  "east/vm-5",
			look:   east(),
			vm:     controlled(plain()),
			want:   custody.Foreign,
		},
		"UnlabelledAndInAnotherMachinesLedger": {
			reason:    "Somebody took the labels off another Machine's VirtualMachine, whose ledger still names it.",
			adopt:     "east/vm-5",
			claimants: []custody.Claimant{{UIDLabel: "db-1", VMUID: "vm-5"}},
			look:      east(),
			vm:        plain(),
			want:      custody.Foreign,
		},
		"LegacyLabelsOfThisName": {
			reason: "An earlier release wrote the Machine's name only, and Machines of one name come and go.",
			look:   east(),
			vm:     labelled(plain(), legacy("web")),
			want:   custody.LegacyUnproven,
		},
		"LegacyLabelsWithTheAddress": {
			reason: "The MAC address of the Machine's NetworkConfiguration proves an earlier release's VirtualMachine.",
			look:   east(),
			vm:     labelled(withMACs(plain(), otherMAC, mac), legacy("web")),
			want:   custody.LegacyProven,
		},
		"LegacyLabelsWhereNeitherSideHasAnAddress": {
			reason: "Interfaces without an address share none, and prove nothing.",
			macs:   []string{""},
			look:   east(),
			vm:     labelled(withMACs(plain(), ""), legacy("web")),
			want:   custody.LegacyUnproven,
		},
		"LegacyLabelsWithConsent": {
			reason: "A person may say that an earlier release's VirtualMachine is the Machine's.",
			adopt:  "east/vm-5",
			look:   east(),
			vm:     labelled(plain(), legacy("web")),
			want:   custody.LegacyProven,
		},
		"LegacyLabelsOfAnotherName": {
			reason: "The labels name another Machine, so that an equal address is a copied one.",
			look:   east(),
			vm:     labelled(withMACs(plain(), mac), legacy("db")),
			want:   custody.Foreign,
		},
		"HalfClaimedByTheSourceLabelAlone": {
			reason: "The present source label without UIDs says as little as the earlier one.",
			look:   east(),
			vm:     labelled(plain(), halfNew("web")),
			want:   custody.LegacyUnproven,
		},
		"HalfClaimedForAnotherName": {
			reason: "The present source label names another Machine.",
			adopt:  "east/vm-5",
			look:   east(),
			vm:     labelled(plain(), halfNew("db")),
			want:   custody.Foreign,
		},
		"LegacyAndControlled": {
			reason: "What a controller owns is never taken over, whatever its labels say.",
			adopt:  "east/vm-5",
			look:   east(),
			vm:     controlled(labelled(withMACs(plain(), mac), legacy("web"))),
			want:   custody.Foreign,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			subject := web()
			subject.StatusVMUID, subject.Adopt = tc.status, tc.adopt
			if tc.macs != nil {
				subject.MACs = tc.macs
			}
			c := custody.Case{Machine: subject, Record: tc.record, Looks: tc.looks, Claimants: tc.claimants}
			if got := c.Relation(tc.look, tc.vm); got != tc.want {
				t.Errorf("%s\nRelation: -want %v +got %v", tc.reason, tc.want, got)
			}
		})
	}
}

func edited(ledger vitistackv1alpha1.Ledger, change func(*vitistackv1alpha1.Ledger)) vitistackv1alpha1.Ledger {
	change(&ledger)
	return ledger
}

func TestNeedsClaimants(t *testing.T) {
	others := with(original(), func(vm *custody.Sighting) { vm.Labels = former() })
	for name, test := range map[string]struct {
		reason string
		adopt  string
		looks  []custody.Look
		want   bool
	}{
		"AnotherMachines": {"another Machine may still want it", "east/vm-1", []custody.Look{east(others)}, true},
		"ByTheOtherConfig": {
			"a person may name the cluster by either of its KubevirtConfigs", "east2/vm-1",
			[]custody.Look{east(others), east2()}, true,
		},
		"ItsOwn":      {"nobody else can want it", "east/vm-1", []custody.Look{east(original())}, false},
		"NotMeant":    {"no person consents to this one", "east/vm-7", []custody.Look{east(others)}, false},
		"NoneIsMeant": {"no person consents", "", []custody.Look{east(others)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			machine := web()
			machine.Adopt = test.adopt
			if got := (custody.Case{Machine: machine, Looks: test.looks}).NeedsClaimants(); got != test.want {
				t.Errorf("%s: NeedsClaimants() = %t", test.reason, got)
			}
		})
	}
}
