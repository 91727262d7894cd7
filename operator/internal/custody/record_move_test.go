package custody_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// move is the record of a move from east to west at a stage.
func move(stage vitistackv1alpha1.MoveStage) vitistackv1alpha1.MoveRecord {
	record := vitistackv1alpha1.MoveRecord{
		ID: "move-1", Name: "web-to-west", Mode: vitistackv1alpha1.MoveModeCold, Stage: stage, Was: "Always", Ran: true,
		From: ledger(),
		To: vitistackv1alpha1.Ledger{Config: "west", ClusterUID: "c-west", Namespace: "team", VMName: "vm-web",
			Nonce: "n-2"},
	}
	if stage == vitistackv1alpha1.MoveCommitted {
		record.To.VMUID = "vm-2"
	}
	return record
}

// TestReadUnderAMove: between the two writes of a move's step, of the record and of the status, the
// status may name either side, and no third one.
func TestReadUnderAMove(t *testing.T) {
	begun, committed := move(vitistackv1alpha1.MoveBegun), move(vitistackv1alpha1.MoveCommitted)
	atSource := vitistackv1alpha1.MachineStatus{MachineID: "vm-1",
		KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "east", ClusterUID: "c-east"}}
	atTarget := vitistackv1alpha1.MachineStatus{MachineID: "vm-2",
		KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "west", ClusterUID: "c-west"}}
	elsewhere := vitistackv1alpha1.MachineStatus{MachineID: "vm-3",
		KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "north", ClusterUID: "c-north"}}
	cases := map[string]struct {
		reason string
		ledger vitistackv1alpha1.Ledger
		record string
		free   bool // the finalizer is not there
		status vitistackv1alpha1.MachineStatus
		want   custody.Reading
		tells  string
	}{
		"BeforeTheCommit": {
			reason: "The Machine is at the source, and ledger, record and status say so.",
			ledger: begun.Place(),
			record: begun.String(),
			status: atSource,
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: begun.Place()},
		},
		"CommittedBeforeTheStatus": {
			reason: "The operator ended between the commit and the status, which still names the source.",
			ledger: committed.Place(),
			record: committed.String(),
			status: atSource,
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: committed.Place()},
		},
		"Committed": {
			reason: "The status has followed to the target.",
			ledger: committed.Place(),
			record: committed.String(),
			status: atTarget,
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: committed.Place()},
		},
		"BackFromTheTarget": {
			reason: "A committed move was given up, and the status still names the target, which the record knows.",
			ledger: edited(committed.From, func(l *vitistackv1alpha1.Ledger) { l.Move = "move-1" }),
			record: aborted(committed).String(),
			status: atTarget,
			want: custody.Reading{Standing: custody.Confirmed,
				Ledger: edited(committed.From, func(l *vitistackv1alpha1.Ledger) { l.Move = "move-1" })},
		},
		"StatusOfAThirdCluster": {
			reason: "The status names a cluster that has no part in the move.",
			ledger: begun.Place(),
			record: begun.String(),
			status: elsewhere,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerConflict},
			tells:  "the status north",
		},
		"StatusOfAnotherClusterOfTheName": {
			reason: "The status has the source's KubevirtConfig and the UID of another cluster.",
			ledger: begun.Place(),
			record: begun.String(),
			status: vitistackv1alpha1.MachineStatus{MachineID: "vm-1",
				KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "east", ClusterUID: "c-other"}},
			want:  custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerConflict},
			tells: "c-other",
		},
		"ForgedOnANewMachine": {
			reason: "A tenant wrote ledger, record and finalizer: the status confirms neither side.",
			ledger: begun.Place(),
			record: begun.String(),
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: begun.Place()},
		},
		"ForgedTargetOnAPlacedMachine": {
			reason: "A status without the UID of a VirtualMachine does not confirm a record that names two.",
			ledger: committed.Place(),
			record: committed.String(),
			status: vitistackv1alpha1.MachineStatus{KubevirtConfigRef: atSource.KubevirtConfigRef},
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: committed.Place()},
		},
		"WithoutTheFinalizer": {
			reason: "A status alone confirms nothing.",
			ledger: begun.Place(),
			record: begun.String(),
			free:   true,
			status: atSource,
			want:   custody.Reading{Standing: custody.Unconfirmed, Ledger: begun.Place()},
		},
		"NoRecord": {
			reason: "The record was taken off, and nobody knows both sides any more.",
			ledger: begun.Place(),
			status: atSource,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerInvalid},
			tells:  "restore it",
		},
		"RecordThatCannotBeRead": {
			reason: "A record that is half understood is not acted upon.",
			ledger: begun.Place(),
			record: `{"id":"move-1"}`,
			status: atSource,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerInvalid},
			tells:  vitistackv1alpha1.AnnotationMove,
		},
		"RecordOfAnotherMove": {
			reason: "The ledger names one move, the record is another's.",
			ledger: edited(begun.Place(), func(l *vitistackv1alpha1.Ledger) { l.Move = "move-2" }),
			record: begun.String(),
			status: atSource,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerInvalid},
			tells:  "another move",
		},
		"RecordOfAnotherStage": {
			reason: "One of the two annotations is older than the other: they are written together.",
			ledger: begun.Place(),
			record: committed.String(),
			status: atSource,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerInvalid},
			tells:  "another place",
		},
		"RecordThatIsOver": {
			reason: "A record that no ledger names is not in force.",
			ledger: ledger(),
			record: begun.String(),
			status: atSource,
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: ledger()},
		},
		"RecordThatIsOverAndGarbage": {
			reason: "What no ledger names need not be readable either.",
			ledger: ledger(),
			record: "nonsense",
			status: atSource,
			want:   custody.Reading{Standing: custody.Confirmed, Ledger: ledger()},
		},
		"RecordThatIsOverGivesNoLeave": {
			reason: "A record that is not in force does not excuse a status that names its target.",
			ledger: ledger(),
			record: begun.String(),
			status: atTarget,
			want:   custody.Reading{Standing: custody.Broken, Reason: vitistackv1alpha1.ReasonLedgerConflict},
			tells:  "the status west",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			machine := &vitistackv1alpha1.Machine{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "web", Annotations: map[string]string{
					vitistackv1alpha1.AnnotationPlacement: tc.ledger.String(),
				}},
				Status: tc.status,
			}
			if tc.record != "" {
				machine.Annotations[vitistackv1alpha1.AnnotationMove] = tc.record
			}
			got := custody.Read(machine, !tc.free, providerID, func(string) []string { return nil })
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

// aborted is a record whose move was given up.
func aborted(record vitistackv1alpha1.MoveRecord) vitistackv1alpha1.MoveRecord {
	record.Stage = vitistackv1alpha1.MoveAborting
	return record
}
