package machine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const moveID = "6f1d1a5e-0000-4000-8000-000000000777"

// moveOf is the record of a move of the Machine web to cluster-west.
func (w *world) moveOf(stage vitistackv1alpha1.MoveStage) vitistackv1alpha1.MoveRecord {
	w.t.Helper()
	to := vitistackv1alpha1.Ledger{Config: west, ClusterUID: west, Namespace: namespace, VMName: vmName, Nonce: "nonce-2"}
	if vm, found := w.vms()[west+"/"+vmName]; found {
		to.VMUID = string(vm.UID)
	}
	return vitistackv1alpha1.MoveRecord{
		ID: moveID, Name: "web-to-west", Mode: vitistackv1alpha1.MoveModeCold, Stage: stage, Was: "Always", Ran: true,
		From: w.ledger(), To: to,
	}
}

// underMove writes a move's record and ledger to the Machine, in one write.
func (w *world) underMove(record vitistackv1alpha1.MoveRecord) {
	w.t.Helper()
	w.editMachine(annotated(vitistackv1alpha1.AnnotationPlacement, record.Place().String(),
		vitistackv1alpha1.AnnotationMove, record.String(), annotationRef, record.Place().Config))
}

// moving is a world in which the Machine web runs in cluster-east, and a move to cluster-west is at
// a stage. From the commit on its VirtualMachine is there, too.
func moving(t *testing.T, stage vitistackv1alpha1.MoveStage) *world {
	t.Helper()
	w := placed(t)
	w.run(east)
	w.mustSettle()
	if stage != vitistackv1alpha1.MoveBegun {
		vm := w.vms()[east+"/"+vmName]
		vm.ResourceVersion, vm.UID, vm.Status = "", anotherUID, kubevirtv1.VirtualMachineStatus{}
		w.put(west, &vm)
	}
	w.underMove(w.moveOf(stage))
	w.forget()
	return w
}

// remoteWrites are the writes to remote clusters since the last forget.
func (w *world) remoteWrites() []string {
	return w.called(func(c call) bool { return c.writes() && c.cluster != supervisor })
}

func TestMoving(t *testing.T) {
	const ready = "True/" + vitistackv1alpha1.ReasonReady
	held := "False/" + vitistackv1alpha1.ReasonMoving
	cases := map[string]struct {
		reason string
		stage  vitistackv1alpha1.MoveStage
		before func(*world)
		ready  string
		tells  string
	}{
		"Begun": {
			reason: "The guest is off or soon will be, and the move says what is done.",
			stage:  vitistackv1alpha1.MoveBegun, ready: held,
			tells: "MachineMove web-to-west takes the Machine from cluster-east to cluster-west",
		},
		"Drifted": {
			reason: "The source was stopped by the move: nothing puts its run strategy back.",
			stage:  vitistackv1alpha1.MoveBegun, ready: held,
			before: func(w *world) {
				w.editVM(func(vm *kubevirtv1.VirtualMachine) {
					halted := kubevirtv1.RunStrategyHalted
					vm.Spec.Running, vm.Spec.RunStrategy, vm.Status = nil, &halted, kubevirtv1.VirtualMachineStatus{}
				})
			},
			tells: "web-to-west",
		},
		"Changed": {
			reason: "A change that a person makes meanwhile is not carried to either side.",
			stage:  vitistackv1alpha1.MoveBegun, ready: held,
			before: func(w *world) {
				w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "large"; m.Generation++ })
			},
			tells: "web-to-west",
		},
		"SourceVanished": {
			reason: "A VirtualMachine that is gone in mid-move is not made again: its disks may be at the target alone.",
			stage:  vitistackv1alpha1.MoveBegun, ready: held,
			before: func(w *world) { vm := w.vms()[east+"/"+vmName]; w.remove(east, &vm) },
			tells:  "web-to-west",
		},
		"Committed": {
			reason: "The Machine is at the target, where its guest does not run yet.",
			stage:  vitistackv1alpha1.MoveCommitted, ready: held, tells: "web-to-west",
		},
		"CommittedAndRunning": {
			reason: "What is left of the move concerns nobody who uses the guest.",
			stage:  vitistackv1alpha1.MoveCommitted, ready: ready,
			before: func(w *world) { w.run(west) },
		},
		"Aborting": {
			reason: "People are told which way it goes now.",
			stage:  vitistackv1alpha1.MoveAborting, ready: held, tells: "is given up: the guest goes back to cluster-east",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := moving(t, tc.stage)
			if tc.before != nil {
				tc.before(w)
				w.forget()
			}
			was, record := w.where(), w.machine().Annotations
			for range 5 {
				_, _ = w.reconcile()
			}
			if got := w.condition(vitistackv1alpha1.ConditionReady); got != tc.ready {
				t.Errorf("%s\nReady: -want %s +got %s: %s", tc.reason, tc.ready, got, w.message())
			}
			if !strings.Contains(w.message(), tc.tells) {
				t.Errorf("%s\nmessage %q does not tell %q", tc.reason, w.message(), tc.tells)
			}
			if writes := w.remoteWrites(); len(writes) > 0 || w.where() != was {
				t.Errorf("%s\nit was written to the clusters: %v; before %s, after %s", tc.reason, writes, was, w.where())
			}
			if diff := cmp.Diff(record, w.machine().Annotations); diff != "" {
				t.Errorf("%s\nthe records: -before +after:\n%s", tc.reason, diff)
			}
		})
	}
}

// message is that of the condition Ready.
func (w *world) message() string {
	w.t.Helper()
	if c := w.machine().Status.Condition(vitistackv1alpha1.ConditionReady); c != nil {
		return c.Message
	}
	return ""
}

// TestDeletedWhileMoving: the move ends first, on both sides; then the Machine goes as ever.
func TestDeletedWhileMoving(t *testing.T) {
	for _, stage := range []vitistackv1alpha1.MoveStage{
		vitistackv1alpha1.MoveBegun, vitistackv1alpha1.MoveCommitted, vitistackv1alpha1.MoveAborting,
	} {
		t.Run(string(stage), func(t *testing.T) {
			w := moving(t, stage)
			was := w.where()
			w.deleteMachine()
			w.forget()
			for range 5 {
				_, _ = w.reconcile()
			}
			if w.machine() == nil {
				t.Fatal("the Machine is gone, and nobody ends its move")
			}
			if message := w.message(); !strings.Contains(message, "MachineMove web-to-west") {
				t.Errorf("nobody is told why the Machine stays: %q", message)
			}
			if writes := w.remoteWrites(); len(writes) > 0 || w.where() != was {
				t.Errorf("it was written to the clusters: %v; before %s, after %s", writes, was, w.where())
			}
			over := w.ledger()
			over.Move = ""
			w.editMachine(annotated(vitistackv1alpha1.AnnotationPlacement, over.String()))
			w.mustSettle()
			if w.machine() != nil {
				t.Errorf("the move is over, and the Machine is held: %s", w.message())
			}
		})
	}
}

// TestMoveThatCannotBeRead: nothing is done by a record that is half understood, and whoever broke it
// is told what helps.
func TestMoveThatCannotBeRead(t *testing.T) {
	invalid := "False/" + vitistackv1alpha1.ReasonLedgerInvalid
	conflict := "False/" + vitistackv1alpha1.ReasonLedgerConflict
	cases := map[string]struct {
		reason string
		breaks func(*world)
		ready  string
		tells  string
	}{
		"Garbage": {
			reason: "The record is no JSON.",
			breaks: func(w *world) { w.editMachine(annotated(vitistackv1alpha1.AnnotationMove, "nonsense")) },
			ready:  invalid, tells: "restore it",
		},
		"Missing": {
			reason: "The record was taken off, and the ledger still names the move.",
			breaks: func(w *world) {
				w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationMove) })
			},
			ready: invalid, tells: "restore it",
		},
		"AnotherMove": {
			reason: "The record is that of another move.",
			breaks: func(w *world) {
				record := w.moveOf(vitistackv1alpha1.MoveBegun)
				record.ID, record.From.Move = "another", ""
				w.editMachine(annotated(vitistackv1alpha1.AnnotationMove, record.String()))
			},
			ready: invalid, tells: "another move",
		},
		"StatusOfNeitherSide": {
			reason: "The status was restored from a backup of another time, or the annotations are forged.",
			breaks: func(w *world) {
				m := w.machine()
				m.Status.MachineID = "vm-of-somebody"
				w.updateStatus(m)
				w.remove(east, new(w.vms()[east+"/"+vmName]))
			},
			ready: conflict, tells: "neither its status nor a VirtualMachine",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := moving(t, vitistackv1alpha1.MoveBegun)
			tc.breaks(w)
			was, record := w.where(), w.machine().Annotations
			w.forget()
			for range 5 {
				_, _ = w.reconcile()
			}
			got := w.condition(vitistackv1alpha1.ConditionReady)
			if got != tc.ready || !strings.Contains(w.message(), tc.tells) {
				t.Errorf("%s\nReady: -want %s (%s) +got %s: %s", tc.reason, tc.ready, tc.tells, got, w.message())
			}
			if writes := w.remoteWrites(); len(writes) > 0 || w.where() != was {
				t.Errorf("%s\nit was written to the clusters: %v; before %s, after %s", tc.reason, writes, was, w.where())
			}
			if diff := cmp.Diff(record, w.machine().Annotations); diff != "" {
				t.Errorf("%s\nthe records: -before +after:\n%s", tc.reason, diff)
			}
			w.deleteMachine()
			for range 5 {
				_, _ = w.reconcile()
			}
			if w.machine() == nil || w.where() != was {
				t.Errorf("%s\nthe Machine was deleted: %t, left %s of %s", tc.reason, w.machine() == nil, w.where(), was)
			}
		})
	}
}

func (w *world) updateStatus(m *vitistackv1alpha1.Machine) {
	w.t.Helper()
	if err := w.clients[supervisor].Status().Update(w.t.Context(), m); err != nil {
		w.t.Fatal(err)
	}
}

// TestExplainMoving: a Machine that is being moved is not said to stay.
func TestExplainMoving(t *testing.T) {
	w := moving(t, vitistackv1alpha1.MoveBegun)
	got, err := w.reconciler(chain()).Explain(t.Context(), webKey)
	if err != nil {
		t.Fatal(err)
	}
	if got.Reason != vitistackv1alpha1.ReasonMoving || got.Config != east || !strings.Contains(got.Message, "web-to-west") {
		t.Errorf("got %s in %s: %s", got.Reason, got.Config, got.Message)
	}
}
