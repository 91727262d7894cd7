package machine_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
)

// letGo is a world in which the Machine web is gone, and owes its VirtualMachine to cluster-east,
// which does not answer.
func letGo(t *testing.T) *world {
	t.Helper()
	w := placed(t)
	w.silence(east)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, east+vitistackv1alpha1.ForceReleaseDeleteLater))
	w.deleteMachine()
	w.mustSettle()
	if w.machine() != nil || len(w.vms()) != 1 {
		t.Fatalf("the Machine is there: %t, VirtualMachines: %v", w.machine() != nil, w.where())
	}
	if debts := w.debts(); len(debts) != 1 || debts[0].Ledger.VMUID != string(w.vms()[east+"/vm-web"].UID) {
		t.Fatalf("the debts are %+v", debts)
	}
	return w
}

func (w *world) debts() []removal.Debt {
	w.t.Helper()
	debts, err := removal.Book{Server: w.clients[supervisor], Namespace: "kubevirt-configs"}.Debts(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return debts
}

func (w *world) payDebts() ctrl.Result {
	w.t.Helper()
	result, err := w.reconciler().Payer().Reconcile(w.t.Context(),
		ctrl.Request{NamespacedName: types.NamespacedName{Name: east}})
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func TestDebts(t *testing.T) {
	type left struct{ Debts, VMs, Claims int }
	cases := map[string]struct {
		reason string
		before func(*world)
		left   left
	}{
		"Paid": {
			reason: "what is owed is deleted once the cluster answers again",
			before: func(w *world) { w.wake(east) },
		},
		"Silent": {
			reason: "a cluster that is silent has not said that the virtual machine is gone", before: func(*world) {},
			left: left{Debts: 1, VMs: 1, Claims: 1},
		},
		"AnotherCluster": {
			reason: "the name leads to another cluster now, which may have a VM of that name too",
			before: func(w *world) {
				w.wake(east)
				state := clientmgr.State{Config: east, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected,
					ClusterUID: "another"}
				w.manager.SetState(state)
			},
			left: left{Debts: 1, VMs: 1, Claims: 1},
		},
		"MadeAnew": {
			reason: "somebody restored the VM with its labels: it is not the one that is owed",
			before: func(w *world) {
				w.wake(east)
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				vm.UID, vm.ResourceVersion = anotherUID, ""
				w.put(east, &vm)
			},
			left: left{VMs: 1, Claims: 1},
		},
		"Replaced": {
			reason: "a stranger's virtual machine that has the name by now is not owed",
			before: func(w *world) {
				w.wake(east)
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				w.put(east, foundVM(foreign))
			},
			left: left{VMs: 1, Claims: 1},
		},
		"GoneAlready": {
			reason: "the virtual machine is gone, so the debt is paid; a disk that nobody recorded may be a person's copy and stays",
			before: func(w *world) {
				w.wake(east)
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
			},
			left: left{Claims: 1},
		},
		"MachineIsBack": {
			reason: "the supervisor was restored from a backup: the Machine has its VM",
			before: func(w *world) { w.wake(east); w.put(supervisor, newMachine(in(east))) },
			left:   left{Debts: 1, VMs: 1, Claims: 1},
		},
		"AnotherMachine": {
			reason: "a Machine of the same name is not the one that is gone",
			before: func(w *world) {
				w.wake(east)
				w.put(supervisor, newMachine(in(east), func(m *vitistackv1alpha1.Machine) { m.UID = anotherUID }))
			},
		},
		"Garbage": {
			reason: "an entry that cannot be read holds up no other, and deletes nothing",
			before: func(w *world) {
				w.wake(east)
				edit(w, supervisor, client.ObjectKey{Namespace: "kubevirt-configs", Name: vitistackv1alpha1.DebtsConfigMap},
					&corev1.ConfigMap{}, func(c *corev1.ConfigMap) {
						c.Data["a"], c.Data["b"] = "{}", "nonsense"
					})
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := letGo(t)
			w.put(east, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: w.vms()[east+"/vm-web"].Spec.DataVolumeTemplates[0].Name,
				Labels: w.vms()[east+"/vm-web"].Labels,
			}})
			tc.before(w)
			for range 5 {
				w.payDebts()
			}
			claims := &corev1.PersistentVolumeClaimList{}
			if err := w.clients[east].List(t.Context(), claims); err != nil {
				t.Fatal(err)
			}
			got := left{Debts: len(w.debts()), VMs: len(w.vms()), Claims: len(claims.Items)}
			if diff := cmp.Diff(tc.left, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDebtIsPaidWhenAllIsGone: the debt stands until the virtual machine and its disks are gone,
// not only told to go.
func TestDebtIsPaidWhenAllIsGone(t *testing.T) {
	w := letGo(t)
	w.wake(east)
	w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Finalizers = []string{kubevirtFinalizer} })
	if result := w.payDebts(); result.RequeueAfter == 0 || len(w.debts()) != 1 {
		t.Fatalf("the debt is forgotten while the VirtualMachine goes: %+v", result)
	}
	w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Finalizers = nil })
	w.payDebts()
	if debts := w.debts(); len(debts) != 0 || len(w.vms()) != 0 {
		t.Errorf("debts: %v, VirtualMachines: %s", debts, w.where())
	}
}

// TestDebtComesFirst: where the debt cannot be written down the Machine is not let go.
func TestDebtComesFirst(t *testing.T) {
	w := placed(t)
	w.silence(east)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, east+vitistackv1alpha1.ForceReleaseDeleteLater))
	w.deleteMachine()
	w.before = func(c call) error {
		if c.kind == "ConfigMap" && c.writes() {
			return errConflict
		}
		return nil
	}
	for range 5 {
		_, _ = w.reconcile()
	}
	if w.machine() == nil {
		t.Error("the Machine is gone, and nobody knows of its VirtualMachine")
	}
}

// TestDebtThatCannotBePaid: without a name nobody would find the virtual machine again, so the
// Machine stays.
func TestDebtThatCannotBePaid(t *testing.T) {
	w := placed(t)
	w.silence(east)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, east+vitistackv1alpha1.ForceReleaseDeleteLater))
	w.editMachine(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement) })
	m := w.machine()
	m.Status.VMName = ""
	if err := w.clients[supervisor].Status().Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	w.deleteMachine()
	w.mustSettle()
	if w.machine() == nil || len(w.debts()) > 0 {
		t.Errorf("the Machine is gone, debts: %+v", w.debts())
	}
}

// TestLateCreation: the call that creates a VirtualMachine is cut off, and its Machine is deleted. Until
// the API server can no longer end that call, what it makes is owed.
func TestLateCreation(t *testing.T) {
	cases := map[string]struct {
		reason string
		went   time.Duration // since the Machine went, when the VirtualMachine arrives, 0 for never
		again  bool          // whether a Machine of the same name is made then
	}{
		"Arrives":      {reason: "nobody else would ever delete it", went: time.Minute},
		"InTheWay":     {reason: "it has the name of the next Machine's", went: time.Minute, again: true},
		"NeverArrives": {reason: "a debt for what can come no more ends"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := &ticking{time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)}
			w := newWorld(t, []string{east, west}, newMachine(in(east)))
			w.options = append(w.options, machine.WithClock(now))
			cut := w.cutCreation()
			w.deleteMachine()
			w.mustSettle()
			if debts := w.debts(); w.machine() != nil || len(debts) != 1 || len(w.vms()) != 0 {
				t.Fatalf("the Machine is there: %t; debts: %+v, VirtualMachines: %s", w.machine() != nil, debts, w.where())
			}
			if result := w.payDebts(); result.RequeueAfter == 0 || len(w.debts()) != 1 {
				t.Fatalf("the debt is forgotten before the time: %+v, %+v", result, w.debts())
			}
			now.Time = now.Add(tc.went)
			if tc.went > 0 {
				w.put(east, cut)
			}
			if tc.again {
				w.put(supervisor, newMachine(in(east), func(m *vitistackv1alpha1.Machine) { m.UID = anotherUID }))
				_, _ = w.settle()
			}
			for range 3 {
				w.payDebts()
			}
			if len(w.vms()) != 0 || len(w.debts()) != 1 {
				t.Errorf("%s; VirtualMachines: %s, debts: %+v", tc.reason, w.where(), w.debts())
			}
			now.Time = now.Add(removal.LateCreation)
			if w.payDebts(); len(w.debts()) != 0 {
				t.Errorf("the debt stands after its time: %+v", w.debts())
			}
			if !tc.again {
				return
			}
			if w.mustSettle(); len(w.vms()) != 1 || !isOf(w.vms()[east+"/vm-web"], anotherUID) {
				t.Errorf("the next Machine of the name has %s", w.where())
			}
		})
	}
}

// TestNoLateCreation: nothing is owed of a Machine whose VirtualMachine was seen, nor where its record
// names a cluster that has no KubevirtConfig: such a debt would stand for ever.
func TestNoLateCreation(t *testing.T) {
	cases := map[string]func() *world{
		"Seen": func() *world { return placed(t) },
		"Unplaced": func() *world {
			w := newWorld(t, []string{east}, newMachine(in("cluster-nowhere")))
			_, _ = w.settle()
			return w
		},
		"Nowhere": func() *world {
			return newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
				ledger := vitistackv1alpha1.Ledger{Config: "cluster-nowhere", Namespace: namespace, VMName: "vm-web", Nonce: "n"}
				m.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}
				m.Finalizers = []string{vitistackv1alpha1.FinalizerMachine}
			}))
		},
	}
	for name, of := range cases {
		t.Run(name, func(t *testing.T) {
			w := of()
			w.deleteMachine()
			w.mustSettle()
			if debts := w.debts(); w.machine() != nil || len(debts) != 0 {
				t.Errorf("the Machine is there: %t, debts: %+v", w.machine() != nil, debts)
			}
		})
	}
}

// cutCreation lets the Machine's VirtualMachine be created by a call that is cut off: what it would
// make is returned, and is not there.
func (w *world) cutCreation() *kubevirtv1.VirtualMachine {
	w.t.Helper()
	var cut *kubevirtv1.VirtualMachine
	w.after = func(c call) error {
		if c.verb != "create" || c.kind != "VirtualMachine" {
			return nil
		}
		vm := w.vms()[east+"/vm-web"]
		w.remove(east, &vm)
		vm.ResourceVersion = ""
		cut = &vm
		return context.DeadlineExceeded
	}
	for cut == nil {
		_, _ = w.reconcile()
	}
	w.after = nil
	return cut
}

func isOf(vm kubevirtv1.VirtualMachine, uid types.UID) bool {
	return vm.Labels[vitistackv1alpha1.LabelMachineUID] == string(uid)
}
