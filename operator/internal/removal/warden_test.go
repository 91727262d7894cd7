package removal

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

func (w *world) warden(recorder events.EventRecorder) *Warden {
	return &Warden{Book: w.book, Clusters: w.manager, Server: w.server(), SupervisorUID: supervisorID, Events: recorder}
}

// unborn is what a move makes and has not started.
func unborn(vm *kubevirtv1.VirtualMachine) {
	noted(vitistackv1alpha1.AnnotationMovedBy, moveID, vitistackv1alpha1.AnnotationMoveFence, "token.3")(vm)
}

func lifted(vm *kubevirtv1.VirtualMachine) {
	noted(vitistackv1alpha1.AnnotationMoveFence, "token.3"+vitistackv1alpha1.MoveFenceLifted)(vm)
}

func withdrawn(vm *kubevirtv1.VirtualMachine) {
	noted(vitistackv1alpha1.AnnotationMoveFence, "token.3"+vitistackv1alpha1.MoveFenceWithdrawn)(vm)
}

func byLabel(name, value string) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) { vm.Labels[name] = value }
}

// TestWarden: the VirtualMachine is in cluster-east, and the Machine in cluster-west unless it says
// otherwise.
func TestWarden(t *testing.T) {
	const (
		left, laid, dropped = "left", "laid", "dropped"
	)
	at := func(config string, uid types.UID, move string) func(*world) {
		return func(w *world) {
			ledger := w.place(config, uid)
			ledger.Move = move
			w.setLedger(ledger)
		}
	}
	gone := func(w *world) { w.removeMachine() }
	makes := func(change ...func(*kubevirtv1.VirtualMachine)) []func(*kubevirtv1.VirtualMachine) { return change }
	cases := map[string]struct {
		reason  string
		vm      []func(*kubevirtv1.VirtualMachine)
		buried  bool
		machine func(*world) // nil for a Machine in cluster-west
		want    string
		tells   string
	}{
		"RestoredAndRuns": {
			reason: "A backup of the source brought back a guest whose Machine runs elsewhere.",
			vm:     makes(always), buried: true, want: laid, tells: "TombstoneStopped",
		},
		"RestoredWithRunningTrue": {
			reason: "The older field starts it as well.", buried: true, want: laid, tells: "TombstoneStopped",
			vm: makes(func(vm *kubevirtv1.VirtualMachine) { vm.Spec.Running, vm.Spec.RunStrategy = ptr.To(true), nil }),
		},
		"RestoredOnceItsMachineIsGone": {
			reason: "Nobody deletes it without a Machine, and it must not run either.",
			vm:     makes(always), buried: true, machine: gone, want: laid,
		},
		"RestoredAndOff": {reason: "It does no harm.", buried: true, want: left},
		"RestoredAndTheMachineIsThere": {
			reason: "The Machine was moved back to that very VirtualMachine.",
			vm:     makes(always), buried: true, machine: at(east, sourceUID, ""), want: left,
		},
		"RestoredUnderAMove": {
			reason: "The move looks after both sides itself.",
			vm:     makes(always), buried: true, machine: at(west, targetUID, moveID), want: left,
		},
		"RestoredAndNobodyKnowsThePlace": {
			reason: "A ledger that cannot be read may name this one.",
			vm:     makes(always), buried: true, machine: func(w *world) { w.setAnnotation("{}") }, want: left,
		},
		"RestoredBeforeAPlaceIsKnown": {
			reason: "A ledger without a VirtualMachine's UID may be about to name this one.",
			vm:     makes(always), buried: true, machine: at(east, "", ""), want: left,
		},
		"NoTombstone": {reason: "It was never moved away.", vm: makes(always), want: left},
		"RestoredForAnotherSupervisor": {
			reason: "Another supervisor's is not ours to stop.", buried: true, want: left,
			vm: makes(always, byLabel(vitistackv1alpha1.LabelSupervisorUID, "another")),
		},
		"RestoredWithoutLabels": {
			reason: "Somebody has made it his own.", buried: true, want: left,
			vm: makes(always, func(vm *kubevirtv1.VirtualMachine) { vm.Labels = nil }),
		},
		"Unborn": {
			reason: "The move was given up while this cluster was silent.",
			vm:     makes(unborn), want: dropped, tells: "MoveLeftover",
		},
		"UnbornOnceItsMachineIsGone": {
			reason: "The Machine was deleted in the meantime.", vm: makes(unborn), machine: gone, want: dropped,
		},
		"UnbornAndWithdrawn": {
			reason: "A move that took back its leave to start never gives it again.", vm: makes(unborn, withdrawn), want: dropped,
			tells: "MoveLeftover",
		},
		"UnbornUnderAMove": {
			reason: "The move goes on with it.", vm: makes(unborn), machine: at(west, targetUID, moveID), want: left,
		},
		"UnbornAndTheMachines": {
			reason: "The ledger names it.", vm: makes(unborn), machine: at(east, sourceUID, ""), want: left,
		},
		"UnbornAndNobodyKnowsThePlace": {
			reason: "A ledger that cannot be read may name this one.",
			vm:     makes(unborn), machine: func(w *world) { w.setAnnotation("{}") }, want: left,
		},
		"Lifted": {
			reason: "A guest that was once let run may have the only copy of what it wrote.",
			vm:     makes(unborn, lifted), machine: gone, want: left,
		},
		"UnbornAndStarted": {
			reason: "A person has started it, and answers for it.", vm: makes(unborn, always), want: left,
		},
		"UnbornAndUp": {
			reason: "It has an instance, whatever its run strategy says now.", want: left,
			vm: makes(unborn, func(vm *kubevirtv1.VirtualMachine) { vm.Status.Created = true }),
		},
		"UnbornOfAnotherSupervisor": {
			reason: "Another supervisor's move goes on with it.", want: left,
			vm: makes(unborn, byLabel(vitistackv1alpha1.LabelSupervisorUID, "another")),
		},
		"UnbornWithoutAMachine": {
			reason: "A clone without the label is a person's.", want: left,
			vm: makes(unborn, func(vm *kubevirtv1.VirtualMachine) { delete(vm.Labels, vitistackv1alpha1.LabelMachineUID) }),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put(east, guest(sourceUID, "nonce-of-"+east, tc.vm...), disk())
			w.put(supervisor, web(w.place(west, targetUID)))
			if tc.machine != nil {
				tc.machine(w)
			}
			recorder := events.NewFakeRecorder(5)
			warden := w.warden(recorder)
			if tc.buried {
				if err := warden.Bury(t.Context(), GraveOf(w.owed(moveID))); err != nil {
					t.Fatal(err)
				}
			}
			before := w.vm(east)
			seen := warden.suspects(t.Context(), east, before)
			if len(seen) == 0 && tc.want != left {
				t.Fatalf("%s\nnobody looks at it", tc.reason)
			}
			// whatever the cache says, the look itself decides
			request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: east, Name: team + "/" + vmName}}
			if len(seen) > 0 && seen[0] != request {
				t.Fatalf("the request is %v", seen)
			}
			for range 3 {
				if _, err := warden.Reconcile(t.Context(), request); err != nil {
					t.Fatal(err)
				}
			}
			after := w.vm(east)
			switch tc.want {
			case left:
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("%s\n-before +after:\n%s", tc.reason, diff)
				}
			case laid:
				if after == nil || ptr.Deref(after.Spec.RunStrategy, "") != kubevirtv1.RunStrategyHalted || after.Spec.Running != nil ||
					after.Annotations[vitistackv1alpha1.AnnotationMovedBy] != "tombstone" {
					t.Errorf("%s\nit is not kept and off: %+v", tc.reason, after)
				}
			case dropped:
				if after != nil {
					t.Errorf("%s\nit is still there", tc.reason)
				}
				w.wantGuarded(before)
			}
			told := ""
			if len(recorder.Events) > 0 {
				told = <-recorder.Events
			}
			if !strings.Contains(told, tc.tells) || (told == "") != (tc.tells == "") {
				t.Errorf("%s\nevent: -want %q +got %q", tc.reason, tc.tells, told)
			}
			if len(recorder.Events) > 0 {
				t.Errorf("%s\nit is told twice: %s", tc.reason, <-recorder.Events)
			}
		})
	}
}

// wantGuarded: a deletion names the very state that was seen, so that one that was started since stays.
func (w *world) wantGuarded(vm *kubevirtv1.VirtualMachine) {
	w.t.Helper()
	if len(w.guards) != 1 || ptr.Deref(w.guards[0].UID, "") != vm.UID ||
		ptr.Deref(w.guards[0].ResourceVersion, "") != vm.ResourceVersion {
		w.t.Errorf("the deletion is guarded by %+v", w.guards)
	}
}

// TestWardenOfAFormerProcess: what an earlier process buried is known to the next one.
func TestWardenOfAFormerProcess(t *testing.T) {
	w := newWorld(t)
	w.put(supervisor, web(w.place(west, targetUID)))
	w.put(east, guest(sourceUID, "nonce-of-"+east, always))
	if err := w.warden(nil).Bury(t.Context(), GraveOf(w.owed(moveID))); err != nil {
		t.Fatal(err)
	}
	next := w.warden(nil)
	for _, request := range next.suspects(t.Context(), east, w.vm(east)) {
		if _, err := next.Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if got := ptr.Deref(w.vm(east).Spec.RunStrategy, ""); got != kubevirtv1.RunStrategyHalted {
		t.Errorf("the run strategy is %s", got)
	}
}

// TestWardenOfASilentCluster: a cluster that gives no answer is asked again, and one that nobody knows
// any more never is.
func TestWardenOfASilentCluster(t *testing.T) {
	for config, again := range map[string]bool{east: true, "cluster-that-was": false} {
		w := newWorld(t)
		w.silence(east)
		request := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: config, Name: team + "/" + vmName}}
		result, err := w.warden(nil).Reconcile(t.Context(), request)
		if err != nil || (result.RequeueAfter > 0) != again {
			t.Errorf("%s: %+v, %v", config, result, err)
		}
	}
}

// TestWardenIsOvertaken: what was written meanwhile is looked at again at once. It runs beside the
// guest that the Machine has now, and does not wait for the back-off.
func TestWardenIsOvertaken(t *testing.T) {
	w := newWorld(t)
	w.put(supervisor, web(w.place(west, targetUID)))
	w.put(east, guest(sourceUID, "nonce-of-"+east, always))
	warden := w.warden(nil)
	if err := warden.Bury(t.Context(), GraveOf(w.owed(moveID))); err != nil {
		t.Fatal(err)
	}
	overtaken := interceptor.Funcs{Patch: func(context.Context, client.WithWatch, client.Object, client.Patch,
		...client.PatchOption,
	) error {
		return apierrors.NewConflict(schema.GroupResource{Resource: "virtualmachines"}, vmName, nil)
	}}
	w.manager.AddMockedClient(east, interceptor.NewClient(w.clients[east].(client.WithWatch), overtaken))
	for _, request := range warden.suspects(t.Context(), east, w.vm(east)) {
		result, err := warden.Reconcile(t.Context(), request)
		if err != nil || result.RequeueAfter != problem.StaleRetry {
			t.Errorf("it is looked at again after %s: %v", result.RequeueAfter, err)
		}
	}
}
