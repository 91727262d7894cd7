package clusterstatus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestRefersTo: a KubevirtConfig is kept while something of a Machine is in its cluster, and of a Machine
// under a move there is something in two.
func TestRefersTo(t *testing.T) {
	place := func(config, nonce, uid string) vitistackv1alpha1.Ledger {
		return vitistackv1alpha1.Ledger{Config: config, ClusterUID: config + "-uid", Namespace: "team", VMName: "vm-web",
			VMUID: uid, Nonce: nonce}
	}
	record := vitistackv1alpha1.MoveRecord{
		ID: "move-1", Name: "web-to-west", Mode: vitistackv1alpha1.MoveModeCold, Stage: vitistackv1alpha1.MoveBegun,
		Was: "Always", From: place("east", "n-1", "vm-1"), To: place("west", "n-2", "vm-2"),
	}
	committed, aborting := record, record
	committed.Stage, aborting.Stage = vitistackv1alpha1.MoveCommitted, vitistackv1alpha1.MoveAborting
	for name, tc := range map[string]struct {
		reason         string
		ledger, record string
		asks           string // the annotation vitistack.io/kubevirt-config
		held           bool
		want           []string
	}{
		"New":    {reason: "A Machine that asks for a cluster is not in it.", asks: "east"},
		"Placed": {reason: "The ledger says where.", ledger: record.From.String(), held: true, want: []string{"east"}},
		"LedgerThatCannotBeRead": {
			reason: "The annotation that is written together with the ledger is believed.",
			ledger: "{}", asks: "east", held: true, want: []string{"east"},
		},
		"LedgerThatIsGone": {
			reason: "A held Machine has lost its ledger.", asks: "east", held: true, want: []string{"east"},
		},
		"Begun": {
			reason: "The target has what is being made.",
			ledger: record.Place().String(), record: record.String(), held: true, want: []string{"east", "west"},
		},
		"Committed": {
			reason: "The source has what is still to be deleted.",
			ledger: committed.Place().String(), record: committed.String(), held: true, want: []string{"east", "west"},
		},
		"Aborting": {
			reason: "The target has what was made for nothing.",
			ledger: aborting.Place().String(), record: aborting.String(), held: true, want: []string{"east", "west"},
		},
		"Over": {
			reason: "After the move the source is free.",
			ledger: committed.To.String(), record: committed.String(), held: true, want: []string{"west"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			machine := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{}}}
			for key, text := range map[string]string{
				vitistackv1alpha1.AnnotationPlacement: tc.ledger, vitistackv1alpha1.AnnotationMove: tc.record,
				vitistackv1alpha1.AnnotationKubevirtConfig: tc.asks,
			} {
				if text != "" {
					machine.Annotations[key] = text
				}
			}
			if tc.held {
				machine.Finalizers = []string{vitistackv1alpha1.FinalizerMachine}
			}
			if diff := cmp.Diff(tc.want, refersTo(machine)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
