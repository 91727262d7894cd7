package clientmgr_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// movedRecord is the record of a move from east to west.
func movedRecord() vitistackv1alpha1.MoveRecord {
	place := func(config, nonce, uid string) vitistackv1alpha1.Ledger {
		return vitistackv1alpha1.Ledger{Config: config, ClusterUID: config + "-uid", Namespace: "team", VMName: "vm-web",
			VMUID: uid, Nonce: nonce}
	}
	return vitistackv1alpha1.MoveRecord{
		ID: "move-1", Name: "web-to-west", Mode: vitistackv1alpha1.MoveModeCold, Stage: vitistackv1alpha1.MoveBegun,
		Was: "Always", From: place("east", "n-1", "vm-1"), To: place("west", "n-2", "vm-2"),
	}
}

// TestByConfig: what a cluster tells of has to reach the Machines that are on their way to it, too.
func TestByConfig(t *testing.T) {
	begun := movedRecord()
	committed := begun
	committed.Stage = vitistackv1alpha1.MoveCommitted
	for name, tc := range map[string]struct {
		reason         string
		ledger, record string
		want           []string
	}{
		"Unplaced": {reason: "A new Machine has no ledger.", want: []string{clientmgr.Unplaced}},
		"Broken":   {reason: "A ledger that cannot be read names nothing.", ledger: "{}", want: []string{clientmgr.Unplaced}},
		"Placed":   {reason: "It has one place.", ledger: begun.From.String(), want: []string{"east"}},
		"Begun": {
			reason: "Both sides have a part in it before the commit.",
			ledger: begun.Place().String(), record: begun.String(), want: []string{"east", "west"},
		},
		"Committed": {
			reason: "What is left at the source goes after the commit.",
			ledger: committed.Place().String(), record: committed.String(), want: []string{"east", "west"},
		},
		"RecordThatCannotBeRead": {
			reason: "The ledger is all that is known.",
			ledger: begun.Place().String(), record: "{}", want: []string{"east"},
		},
		"RecordThatIsOver": {
			reason: "A record that no ledger names is not in force.",
			ledger: committed.To.String(), record: committed.String(), want: []string{"west"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			machine := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{}}}
			for key, text := range map[string]string{
				vitistackv1alpha1.AnnotationPlacement: tc.ledger, vitistackv1alpha1.AnnotationMove: tc.record,
			} {
				if text != "" {
					machine.Annotations[key] = text
				}
			}
			if diff := cmp.Diff(tc.want, clientmgr.ByConfig(machine)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
