package custody_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// providerID stands for the copy of a ledger that foreign definitions keep.
func providerID(l vitistackv1alpha1.Ledger) string {
	return "kubevirt://" + l.Config + "/" + l.Namespace + "/" + l.VMName
}

func TestRead(t *testing.T) {
	copied := func(config, clusterUID string) *vitistackv1alpha1.KubevirtConfigReferenceStatus {
		return &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: config, ClusterUID: clusterUID}
	}
	elsewhere := edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.Namespace = "other-team" })

	cases := map[string]struct {
		reason string
		text   string
		held   bool
		status vitistackv1alpha1.MachineStatus
		former []string
		want   custody.Reading
		tells  string
	}{
		"NeverPlaced": {
			reason: "A new Machine has neither a ledger nor a status.",
			want:   custody.Reading{Standing: custody.None},
		},
		"OwnLedger": {
			reason: "Finalizer and status say the same, down to the VirtualMachine's UID.",
			text:   ledger().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east"), MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: ledger()},
		},
		"IntentThatTheStatusKnows": {
			reason: "Before the VirtualMachine's UID is known, the status' copy of the place is enough.",
			text:   intent().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east")},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: intent()},
		},
		"IntentAfterConsentToRecreate": {
			reason: "The status still has the UID of the VirtualMachine that vanished, and the ledger begins anew.",
			text:   intent().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east"), MachineID: "vm-0"},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: intent()},
		},
		"StatusOfForeignDefinitions": {
			reason: "Definitions that prune the copy of the place keep the provider ID, which says the same.",
			text:   intent().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{ProviderID: "kubevirt://east/team/vm-web"},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: intent()},
		},
		"ProviderIDOfAnotherPlace": {
			reason: "A provider ID that names another place confirms nothing.",
			text:   intent().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{ProviderID: "kubevirt://west/team/vm-web"},
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: intent()},
		},
		"StatusWithTheUIDAlone": {
			reason: "The UID of the VirtualMachine in the status is the strongest copy there is.",
			text:   ledger().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: ledger()},
		},
		"ClusterUIDBecameReadable": {
			reason: "The status copied the place before the cluster's UID could be read.",
			text:   ledger().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", ""), MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: ledger()},
		},
		"ForgedOnANewMachine": {
			reason: "A tenant wrote the annotation; neither finalizer nor status confirm it.",
			text:   ledger().String(),
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: ledger()},
		},
		"ForgedWithTheFinalizer": {
			reason: "A tenant can write the finalizer too, and not the status.",
			text:   ledger().String(),
			held:   true,
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: ledger()},
		},
		"ForgedWithoutTheFinalizer": {
			reason: "A status that is restored without the finalizer confirms nothing by itself.",
			text:   ledger().String(),
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east"), MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: ledger()},
		},
		"ForgedUIDOnAPlacedMachine": {
			reason: "A tenant wrote another VirtualMachine's UID into a ledger that was confirmed before.",
			text:   edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.VMUID = "vm-5" }).String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east"), MachineID: "vm-1"},
			want: custody.Reading{
				Standing: custody.Unconfirmed,
				Ledger:   edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.VMUID = "vm-5" }),
			},
		},
		"ForgedUIDBeforeTheFirstVM": {
			reason: "The status knows the place and no UID, so that a UID in the ledger may be a tenant's.",
			text:   ledger().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east"),
				ProviderID: "kubevirt://east/team/vm-web"},
			want: custody.Reading{Standing: custody.Unconfirmed, Ledger: ledger()},
		},
		"ClusterThatAPersonAcceptedSince": {
			reason: "The ledger was bound to the cluster that a person accepted, and the operator ended before the status said so.",
			text:   ledger().String(),
			held:   true,
			former: []string{"c-before"},
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-before"), MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: ledger()},
		},
		"AnotherConfigThanTheStatus": {
			reason: "Ledger and status name different configs, so that nothing is decided by either.",
			text:   ledger().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("west", "c-west"), MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerConflict},
			tells:  "the status west",
		},
		"AnotherClusterThanTheStatus": {
			reason: "Ledger and status name different clusters behind one config.",
			text:   ledger().String(),
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-other"), MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerConflict},
			tells:  "c-other",
		},
		"CopiedToAnotherNamespace": {
			reason: "A ledger that was copied with its Machine into another namespace says what to take off.",
			text:   elsewhere.String(),
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerConflict},
			tells:  "take it off",
		},
		"CannotBeRead": {
			reason: "A ledger that is half understood is not acted upon, and the message says what helps.",
			text:   `{"config":"east","surprise":"x"}`,
			held:   true,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerInvalid},
			tells:  "take it off",
		},
		"Lost": {
			reason: "A kubectl replace dropped the annotation; the status still knows the place and the UID.",
			held:   true,
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: copied("east", "c-east"), VMName: "vm-web",
				MachineID: "vm-1"},
			want: custody.Reading{
				Standing: custody.Lost,
				Ledger:   edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.Nonce = "" }),
			},
		},
		"LostWhereTheStatusIsPruned": {
			reason: "Foreign definitions keep no place in the status, so that the VirtualMachine is looked for everywhere.",
			held:   true,
			status: vitistackv1alpha1.MachineStatus{MachineID: "vm-1"},
			want:   custody.Reading{Standing: custody.None},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "web"},
				Status: tc.status}
			if tc.text != "" {
				machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: tc.text}
			}
			got := custody.Read(machine, tc.held, providerID, func(string) []string { return tc.former })
			if !strings.Contains(got.Message, tc.tells) {
				t.Errorf("%s\nmessage %q does not tell %q", tc.reason, got.Message, tc.tells)
			}
			got.Message = ""
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nRead: -want +got\n%s", tc.reason, diff)
			}
		})
	}
}

func TestConfirmedBy(t *testing.T) {
	cases := map[string]struct {
		reason string
		ledger vitistackv1alpha1.Ledger
		vm     custody.Sighting
		want   bool
	}{
		"LabelsAndUID": {
			reason: "Whoever can write a Machine cannot put its UID on a VirtualMachine of the remote cluster.",
			ledger: ledger(),
			vm:     original(),
			want:   true,
		},
		"LabelsAndNonce": {
			reason: "Before the UID is known, the nonce of the creation confirms the ledger.",
			ledger: intent(),
			vm:     original(),
			want:   true,
		},
		"AnotherUID": {
			reason: "The nonce does not stand in for a UID that differs.",
			ledger: ledger(),
			vm:     restored(),
		},
		"AnotherNonce": {
			reason: "A VirtualMachine of an earlier intent does not confirm a later one.",
			ledger: edited(intent(), func(l *vitistackv1alpha1.Ledger) { l.Nonce = "n-2" }),
			vm:     original(),
		},
		"NoNonceOnEitherSide": {
			reason: "Two nonces that are both missing are no equal nonces.",
			ledger: edited(intent(), func(l *vitistackv1alpha1.Ledger) { l.Nonce = "" }),
			vm:     with(original(), func(vm *custody.Sighting) { vm.Nonce = "" }),
		},
		"CloneWithTheNonce": {
			reason: "A clone carries labels and nonce, and another name.",
			ledger: intent(),
			vm:     clone(),
		},
		"UnlabelledVMOfTheForgedUID": {
			reason: "A tenant names an unlabelled VirtualMachine by its UID; only labels would confirm that.",
			ledger: edited(ledger(), func(l *vitistackv1alpha1.Ledger) { l.VMUID = "vm-5" }),
			vm:     plain(),
		},
		"AnotherMachinesVM": {
			reason: "A ledger copied from another Machine names a VirtualMachine with that one's labels.",
			ledger: ledger(),
			vm:     with(original(), func(vm *custody.Sighting) { vm.Labels = former() }),
		},
		"AnotherSupervisorsVM": {
			reason: "Another supervisor's label does not confirm a ledger of this one.",
			ledger: ledger(),
			vm:     with(original(), func(vm *custody.Sighting) { vm.Labels = labels(machineUID, "sup-2") }),
		},
		"HalfLabels": {
			reason: "The Machine's UID without the supervisor's could be anybody's.",
			ledger: ledger(),
			vm:     with(original(), func(vm *custody.Sighting) { vm.Labels = labels(machineUID, "") }),
		},
		"ControlledByAPool": {
			reason: "The operator never makes a VirtualMachine with a controller, so that a controlled one confirms nothing.",
			ledger: ledger(),
			vm:     with(original(), func(vm *custody.Sighting) { vm.Controlled = true }),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := web().ConfirmedBy(tc.ledger, tc.vm); got != tc.want {
				t.Errorf("%s\nConfirmedBy: -want %v +got %v", tc.reason, tc.want, got)
			}
		})
	}
}
