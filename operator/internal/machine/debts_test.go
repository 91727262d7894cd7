package machine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
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
