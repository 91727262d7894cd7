package removal

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func (w *world) payer() *Payer {
	return NewPayer(w.book, w.manager, w.server(), desired.Options{SupervisorUID: supervisorID})
}

// pay makes passes over the debts to cluster-east.
func (w *world) pay() {
	w.t.Helper()
	payer := w.payer()
	for range 5 {
		request := ctrl.Request{NamespacedName: types.NamespacedName{Name: east}}
		if _, err := payer.Reconcile(w.t.Context(), request); err != nil {
			w.t.Fatal(err)
		}
	}
}

// stopped is how a move leaves its source.
func stopped(vm *kubevirtv1.VirtualMachine) {
	noted(vitistackv1alpha1.AnnotationMovedBy, moveID+".token")(vm)
}

// TestDebtsOfMoves: the source of a move whose cluster was silent is deleted when that is back, and only
// where the Machine is known to have all that it had.
func TestDebtsOfMoves(t *testing.T) {
	type left struct {
		Debts, Disks, Exports int
		VM                    bool
	}
	const persons = 1 // export, of the same Machine
	paid, kept := left{Exports: persons}, left{Debts: 1, Disks: 1, Exports: persons, VM: true}
	untouched := left{Debts: 1, Disks: 1, Exports: 1 + persons, VM: true}
	cases := map[string]struct {
		reason string
		source func(*kubevirtv1.VirtualMachine)
		before func(*world)
		want   left
	}{
		"GoesOn": {
			reason: "The Machine's VirtualMachine is seen in the other cluster, and the source is off since it was copied.",
			want:   paid,
		},
		"MachineGone": {
			reason: "Nobody misses what the source has.",
			before: func(w *world) { w.removeMachine() }, want: paid,
		},
		"MachineGoneAndSourceStarted": {
			reason: "The Machine was deleted, and so is everything that it had.", source: always,
			before: func(w *world) { w.removeMachine() }, want: paid,
		},
		"AnotherMachineOfTheName": {
			reason: "The Machine was deleted, and another one has its name.",
			before: func(w *world) {
				w.removeMachine()
				w.put(supervisor, web(w.place(west, targetUID), func(m *vitistackv1alpha1.Machine) { m.UID = "another" }))
			},
			want: paid,
		},
		"TargetSilent": {
			reason: "Silence is not presence: the source may be the last copy.",
			before: func(w *world) { w.silence(west) }, want: untouched,
		},
		"TargetGone": {
			reason: "The VirtualMachine of the Machine is gone: the source may be the last copy.",
			before: func(w *world) { w.remove(west) }, want: untouched,
		},
		"TargetIsAnotherCluster": {
			reason: "The name leads to a cluster that was made from a backup of the target: its disks are older.",
			before: func(w *world) {
				state, _ := w.manager.State(west)
				state.ClusterUID = "another"
				w.manager.SetState(state)
			},
			want: untouched,
		},
		"TargetMadeAnew": {
			reason: "Another VirtualMachine has the name there.",
			before: func(w *world) { w.remove(west); w.put(west, guest("vm-of-somebody", "nonce")) }, want: untouched,
		},
		"MovedBack": {
			reason: "The Machine is in the source again, and what is owed is its own.",
			before: func(w *world) { w.setLedger(w.place(east, sourceUID)) }, want: untouched,
		},
		"OnTheMoveAgain": {
			reason: "While it is moved nobody knows where it ends.",
			before: func(w *world) {
				ledger := w.place(west, targetUID)
				ledger.Move = "move-2"
				w.setLedger(ledger)
			},
			want: untouched,
		},
		"LedgerWithoutAVM": {
			reason: "The Machine has no VirtualMachine yet that could have everything.",
			before: func(w *world) { w.setLedger(w.place(west, "")) }, want: untouched,
		},
		"LedgerThatCannotBeRead": {
			reason: "Nobody knows where the Machine is.",
			before: func(w *world) { w.setAnnotation("{}") }, want: untouched,
		},
		"SourceStarted": {
			reason: "A guest that runs may have what the Machine lacks.", source: always, want: kept,
		},
		"SourceRuns": {
			reason: "An instance is still there.",
			source: func(vm *kubevirtv1.VirtualMachine) { vm.Status.Created = true }, want: kept,
		},
		"SourceStartedAndStopped": {
			reason: "Its generation says that somebody changed it since it was copied.",
			source: func(vm *kubevirtv1.VirtualMachine) { vm.Generation = 5 }, want: kept,
		},
		"SourceOfAnotherStop": {
			reason: "Another stop of the same move has another token.",
			source: noted(vitistackv1alpha1.AnnotationMovedBy, moveID+".later"), want: kept,
		},
		"SourceOfAnotherMove": {
			reason: "Another move stopped it later.",
			source: noted(vitistackv1alpha1.AnnotationMovedBy, "move-2.token"), want: kept,
		},
		"SourceLaidByItsTombstone": {
			reason: "A backup brought it back, and nobody knows what it wrote until it was stopped.",
			source: noted(vitistackv1alpha1.AnnotationMovedBy, "tombstone"), want: kept,
		},
		"SourceMadeAnew": {
			reason: "What has the name in the source is not what is owed, and neither are its disks.",
			before: func(w *world) { w.remove(east); w.put(east, guest("vm-of-somebody", "nonce")) },
			want:   left{Disks: 1, Exports: persons, VM: true},
		},
		"SourceSilent": {
			reason: "The cluster gives no answer.", before: func(w *world) { w.silence(east) }, want: untouched,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			source := []func(*kubevirtv1.VirtualMachine){stopped}
			if tc.source != nil {
				source = append(source, tc.source)
			}
			w.put(east, guest(sourceUID, "nonce-of-"+east, source...), disk(), export(OfferName(moveID)), export("by-hand"))
			w.put(west, guest(targetUID, "nonce-of-"+west, always))
			w.put(supervisor, web(w.place(west, targetUID)))
			if err := w.book.Owe(t.Context(), w.owed(moveID)); err != nil {
				t.Fatal(err)
			}
			if tc.before != nil {
				tc.before(w)
			}
			w.pay()
			exports := &exportv1.VirtualMachineExportList{}
			if err := w.clients[east].List(t.Context(), exports); err != nil {
				t.Fatal(err)
			}
			claims := &corev1.PersistentVolumeClaimList{}
			if err := w.clients[east].List(t.Context(), claims); err != nil {
				t.Fatal(err)
			}
			got := left{Debts: len(w.debts()), Disks: len(claims.Items), Exports: len(exports.Items),
				VM: w.vm(east) != nil}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if _, buried := w.entries()[vitistackv1alpha1.TombstonePrefix+string(sourceUID)]; !buried {
				t.Errorf("%s\nthe tombstone is gone", tc.reason)
			}
		})
	}
}

// TestOfferGoesWithTheSource: a Machine that is deleted in the middle of a move takes along what its
// disks were offered with, and nothing by which a person offers them.
func TestOfferGoesWithTheSource(t *testing.T) {
	cases := map[string]struct {
		reason, by string
		want       []string
	}{
		"Stopped":       {reason: "The move was not done with it.", by: moveID + ".token", want: []string{"by-hand"}},
		"Over":          {reason: "The move has tidied up itself.", by: moveID + ",over", want: []string{"by-hand", OfferName(moveID)}},
		"ByATombstone":  {reason: "No move is named.", by: "tombstone", want: []string{"by-hand", OfferName(moveID)}},
		"OfAnotherMove": {reason: "Another move stopped it last.", by: "another.token", want: []string{"by-hand", OfferName(moveID)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			vm := guest(sourceUID, "nonce", noted(vitistackv1alpha1.AnnotationMovedBy, tc.by))
			w.put(east, vm, export(OfferName(moveID)), export("by-hand"))
			job := Job{MachineUID: machineUID, SupervisorUID: supervisorID, Ledger: w.place(east, sourceUID),
				Remote: side.Remote{Config: east, Server: side.RemoteServer{Reader: w.clients[east]}, Writer: w.clients[east]}}
			if _, err := job.DeleteVM(t.Context(), vm); err == nil {
				t.Fatal("nothing is waited for")
			}
			exports := &exportv1.VirtualMachineExportList{}
			if err := w.clients[east].List(t.Context(), exports); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, each := range exports.Items {
				got = append(got, each.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestOweTellsOfTheGrave: the warden of the same process has read the tombstones already.
func TestOweTellsOfTheGrave(t *testing.T) {
	w := newWorld(t)
	warden, payer := w.warden(nil), w.payer()
	payer.Buried = warden.Remember
	if buried, err := warden.IsBuried(t.Context(), sourceUID); err != nil || buried {
		t.Fatalf("buried %t, %v", buried, err)
	}
	if err := payer.Owe(t.Context(), w.owed("")); err != nil {
		t.Fatal(err)
	}
	if buried, _ := warden.IsBuried(t.Context(), sourceUID); buried {
		t.Error("a Machine that was let go has left a tombstone")
	}
	if err := payer.Owe(t.Context(), w.owed(moveID)); err != nil {
		t.Fatal(err)
	}
	if buried, err := warden.IsBuried(t.Context(), sourceUID); err != nil || !buried {
		t.Errorf("the tombstone is not known: %v", err)
	}
}

func (w *world) machine() *vitistackv1alpha1.Machine {
	w.t.Helper()
	machine := &vitistackv1alpha1.Machine{}
	if err := w.clients[supervisor].Get(w.t.Context(), client.ObjectKey{Namespace: team, Name: "web"}, machine); err != nil {
		w.t.Fatal(err)
	}
	return machine
}

func (w *world) removeMachine() {
	w.t.Helper()
	machine := w.machine()
	machine.Finalizers = nil
	if err := w.clients[supervisor].Update(w.t.Context(), machine); err != nil {
		w.t.Fatal(err)
	}
	if err := w.clients[supervisor].Delete(w.t.Context(), machine); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) setLedger(ledger vitistackv1alpha1.Ledger) { w.setAnnotation(ledger.String()) }

func (w *world) setAnnotation(text string) {
	w.t.Helper()
	machine := w.machine()
	machine.Annotations[vitistackv1alpha1.AnnotationPlacement] = text
	if err := w.clients[supervisor].Update(w.t.Context(), machine); err != nil {
		w.t.Fatal(err)
	}
}

// remove deletes the VirtualMachine of a remote cluster.
func (w *world) remove(config string) {
	w.t.Helper()
	if err := w.clients[config].Delete(w.t.Context(), w.vm(config)); err != nil {
		w.t.Fatal(err)
	}
}
