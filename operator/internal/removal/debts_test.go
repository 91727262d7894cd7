package removal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// owed is a debt to cluster-east: of a Machine that was let go, or of a move.
func (w *world) owed(move string) Debt {
	debt := Debt{Machine: "web", UID: machineUID, Ledger: w.place(east, sourceUID), Move: move}
	if move != "" {
		debt.Fence = Fence("token", 3)
	}
	return debt
}

// entries are what the ConfigMap has, nil where there is none.
func (w *world) entries() map[string]string {
	w.t.Helper()
	book := &corev1.ConfigMap{}
	err := w.clients[supervisor].Get(w.t.Context(),
		client.ObjectKey{Namespace: configs, Name: vitistackv1alpha1.DebtsConfigMap}, book)
	if client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	return book.Data
}

func (w *world) debts() []Debt {
	w.t.Helper()
	debts, err := w.book.Debts(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return debts
}

// TestDebtsSideBySide: a Machine that was moved twice and let go owes three times, each under a key of
// its own.
func TestDebtsSideBySide(t *testing.T) {
	w := newWorld(t)
	if debts := w.debts(); len(debts) != 0 {
		t.Fatalf("without a ConfigMap there are debts: %v", debts)
	}
	all := []Debt{w.owed(""), w.owed(moveID), w.owed("move-2")}
	all[1].Disks = vitistackv1alpha1.DiskRecord{
		{Kind: vitistackv1alpha1.DiskKindDataVolume, Name: "web-root", UID: "disk-1"},
	}
	for _, debt := range all {
		if err := w.book.Owe(t.Context(), debt); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(all, w.debts()); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
	if err := w.book.Paid(t.Context(), all[1]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Debt{all[0], all[2]}, w.debts()); diff != "" {
		t.Errorf("after one was paid: -want +got:\n%s", diff)
	}
	if _, kept := w.entries()[vitistackv1alpha1.TombstonePrefix+string(sourceUID)]; !kept {
		t.Error("the tombstone went with the debt")
	}
}

// TestTombstoneWithTheDebt: a debt of a move and the tombstone are one write, so that no crash comes
// between them; a Machine that was let go leaves none.
func TestTombstoneWithTheDebt(t *testing.T) {
	for move, want := range map[string]int{"": 1, moveID: 2} {
		w := newWorld(t)
		if err := w.book.Owe(t.Context(), w.owed(move)); err != nil {
			t.Fatal(err)
		}
		if entries := w.entries(); len(entries) != want {
			t.Errorf("move %q: %d entries: %v", move, len(entries), entries)
		}
	}
}

// TestPaidWithoutABook: striking out what nobody wrote makes no ConfigMap.
func TestPaidWithoutABook(t *testing.T) {
	w := newWorld(t)
	if err := w.book.Paid(t.Context(), w.owed(moveID)); err != nil {
		t.Fatal(err)
	}
	if entries := w.entries(); entries != nil {
		t.Errorf("there is a ConfigMap: %v", entries)
	}
}

func TestParseDebt(t *testing.T) {
	const ledger = `"ledger":{"config":"east","clusterUID":"c-1","namespace":"team-a","vmName":"vm-web",` +
		`"nonce":"n-1","vmUID":"vm-1"}`
	cases := map[string]struct {
		reason, key, text string
		move              string
		read              bool
	}{
		"BeforeMoves": {
			reason: "An earlier release wrote debts without a move and a fence.",
			key:    "u-1", text: `{"machine":"web","uid":"u-1",` + ledger + `}`, read: true,
		},
		"OfAMove": {
			reason: "The key has both.",
			key:    "u-1.m-1", text: `{"machine":"web","uid":"u-1",` + ledger + `,"move":"m-1","fence":"t.3"}`,
			move: "m-1", read: true,
		},
		"MoveUnderTheMachinesKey": {
			reason: "A debt of a move that was copied under the Machine's key would be paid without its fence.",
			key:    "u-1", text: `{"machine":"web","uid":"u-1",` + ledger + `,"move":"m-1"}`,
		},
		"AnotherMove": {
			reason: "The entry was copied under another move's key.",
			key:    "u-1.m-2", text: `{"machine":"web","uid":"u-1",` + ledger + `,"move":"m-1"}`,
		},
		"AnotherMachine": {
			reason: "The entry was copied under another Machine's key.",
			key:    "u-2", text: `{"machine":"web","uid":"u-1",` + ledger + `}`,
		},
		"NoLedger":  {reason: "Nobody knows what is owed.", key: "u-1", text: `{"machine":"web","uid":"u-1"}`},
		"NoJSON":    {reason: "Nobody knows what is owed.", key: "u-1", text: "nonsense"},
		"Truncated": {reason: "Half an entry is none.", key: "u-1", text: `{"machine":"web","uid":"u-1",` + ledger},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			debt, err := parseDebt(tc.key, tc.text)
			if (err == nil) != tc.read || tc.read && debt.Move != tc.move {
				t.Errorf("%s\nread %t, move %q: %v", tc.reason, err == nil, debt.Move, err)
			}
			w := newWorld(t)
			w.put(supervisor, &corev1.ConfigMap{
				ObjectMeta: metav1.ObjectMeta{Namespace: configs, Name: vitistackv1alpha1.DebtsConfigMap},
				Data:       map[string]string{tc.key: tc.text, vitistackv1alpha1.TombstonePrefix + "vm-9": "{}"},
			})
			want := 0
			if tc.read {
				want = 1
			}
			if debts := w.debts(); len(debts) != want {
				t.Errorf("%s\nthe book has %v", tc.reason, debts)
			}
		})
	}
}

// TestKeysAreValid: the API server refuses a ConfigMap with a key that has anything else in it than
// letters, digits, '-', '_' and '.', and with it every other entry.
func TestKeysAreValid(t *testing.T) {
	debt := Debt{UID: machineUID, Move: moveID, Ledger: vitistackv1alpha1.Ledger{VMUID: string(sourceUID)}}
	for _, key := range []string{debt.key(), GraveOf(debt).key(), Debt{UID: types.UID("u-1")}.key()} {
		if !validKey.MatchString(key) {
			t.Errorf("%q is no key", key)
		}
	}
}

func TestFence(t *testing.T) {
	seen := map[string]bool{}
	for _, token := range []string{"a", "b"} {
		for _, generation := range []int64{1, 2, 11} {
			seen[Fence(token, generation)] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("two stops have one fence: %v", seen)
	}
}
