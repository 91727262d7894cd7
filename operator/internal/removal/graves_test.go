package removal

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var validKey = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

// dug is a grave of an age in days, as of now.
func dug(uid string, now int64, days int) Grave {
	return Grave{VMUID: types.UID(uid), Config: east, ClusterUID: "c-east", Namespace: team, Name: vmName, Machine: "web",
		At: now - int64(days)*24*60*60}
}

func byUID(graves ...Grave) map[types.UID]Grave {
	all := map[types.UID]Grave{}
	for _, grave := range graves {
		all[grave.VMUID] = grave
	}
	return all
}

func TestGraves(t *testing.T) {
	w := newWorld(t)
	none, err := w.book.Graves(t.Context())
	if err != nil || len(none) != 0 {
		t.Fatalf("without a ConfigMap: %v, %v", none, err)
	}
	now := time.Now().Unix()
	young, old := dug("vm-1", now, 1), dug("vm-2", now, 89)
	for _, grave := range []Grave{young, old} {
		if err := w.book.Bury(t.Context(), grave, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.book.Graves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byUID(young, old), got); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
}

// TestGravesThatCannotBeRead: one entry that somebody broke hides no other, and a debt is no grave.
func TestGravesThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	whole := dug("vm-1", time.Now().Unix(), 0)
	w.put(supervisor, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: configs, Name: vitistackv1alpha1.DebtsConfigMap},
		Data: map[string]string{whole.key(): whole.String(), vitistackv1alpha1.TombstonePrefix + "vm-2": "nonsense",
			"vm-3": dug("vm-3", 0, 0).String()},
	})
	got, err := w.book.Graves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byUID(whole), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSpent(t *testing.T) {
	const now = int64(2_000_000_000)
	crowd := func(n int) map[types.UID]Grave {
		all := map[types.UID]Grave{}
		for i := range n {
			grave := dug(fmt.Sprintf("vm-%05d", i), now, 0)
			grave.At -= int64(i) // the higher the number, the older
			all[grave.VMUID] = grave
		}
		return all
	}
	cases := map[string]struct {
		reason string
		known  map[types.UID]Grave
		want   []types.UID
	}{
		"None":     {reason: "There is nothing to let go."},
		"Young":    {reason: "A backup of last month brings it back.", known: byUID(dug("a", now, 0), dug("b", now, 30))},
		"OnTheDay": {reason: "The last day counts.", known: byUID(dug("a", now, 90))},
		"Old": {
			reason: "Nobody restores etcd from a quarter ago; the others stay.",
			known:  byUID(dug("a", now, 0), dug("b", now, 91), dug("c", now, 200)), want: []types.UID{"b", "c"},
		},
		"Full": {
			reason: "With the new one there are just as many as fit.", known: crowd(maxGraves - 1),
		},
		"TooMany": {
			reason: "The oldest make way for the new one.", known: crowd(maxGraves + 1),
			want: []types.UID{"vm-01999", "vm-02000"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []types.UID
			for _, grave := range spent(tc.known, now) {
				got = append(got, grave.VMUID)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestBuryLetsOldOnesGo: they go in the same write, and debts stay.
func TestBuryLetsOldOnesGo(t *testing.T) {
	w := newWorld(t)
	if err := w.book.Owe(t.Context(), w.owed("")); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	ancient, young := dug("vm-1", now, 400), dug("vm-2", now, 2)
	for _, grave := range []Grave{ancient, young} {
		if err := w.book.Bury(t.Context(), grave, nil); err != nil {
			t.Fatal(err)
		}
	}
	fresh := dug("vm-3", now, 0)
	if err := w.book.Bury(t.Context(), fresh, byUID(ancient, young)); err != nil {
		t.Fatal(err)
	}
	got, err := w.book.Graves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byUID(young, fresh), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(w.debts()) != 1 {
		t.Errorf("a debt went with a grave: %v", w.entries())
	}
}

// TestBookFits: a ConfigMap may have a mebibyte. All graves, of names that are long and not absurd,
// leave an eighth of it to debts.
func TestBookFits(t *testing.T) {
	name := func(n int) string { return fmt.Sprintf("%0*d", n, 7) }
	grave := Grave{VMUID: types.UID(name(36)), Config: name(32), ClusterUID: name(36), Namespace: name(32), Name: name(63),
		Machine: name(60), At: 2_000_000_000}
	if size := maxGraves * (len(grave.key()) + len(grave.String())); size > 1<<20-1<<17 {
		t.Errorf("%d graves need %d bytes", maxGraves, size)
	}
}
