package machine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

const copyUID = types.UID("c1000000-0000-4000-8000-000000000001")

// runFor lets one process work on the Machine web for a while of its own time. The process comes
// back when it said so, and no event wakes it.
func (w *world) runFor(d time.Duration, options ...machine.Option) (passes int) {
	w.t.Helper()
	now := clocktesting.NewFakePassiveClock(time.Unix(2e9, 0))
	r := w.reconciler(append(options, machine.WithClock(now))...)
	for end := now.Now().Add(d); now.Now().Before(end) && passes < 3000; passes++ {
		result, err := r.Reconcile(w.t.Context(), ctrl.Request{NamespacedName: webKey})
		step := result.RequeueAfter
		if err != nil {
			step = time.Second
		}
		if step <= 0 {
			step = d // it rests
		}
		now.SetTime(now.Now().Add(step))
	}
	return passes
}

// says is the message of a condition, "" where it is not set.
func (w *world) says(condition string) string {
	w.t.Helper()
	if c := w.machine().Status.Condition(condition); c != nil {
		return c.Message
	}
	return ""
}

// runs is placed with a guest that runs.
func runs(t testing.TB, change ...func(*vitistackv1alpha1.Machine)) *world {
	t.Helper()
	w := placed(t, change...)
	w.run(east)
	w.mustSettle()
	return w
}

// duplicate is a copy of the Machine's VirtualMachine, labels and all, as KubeVirt's clone and
// restore controllers make it.
func (w *world) duplicate(name string) *kubevirtv1.VirtualMachine {
	w.t.Helper()
	vm := w.vms()[east+"/vm-web"]
	duplicate := vm.DeepCopy()
	duplicate.Name, duplicate.UID, duplicate.ResourceVersion = name, copyUID, ""
	return duplicate
}

// TestCopiesOutliveTheMachine: the end of a Machine deletes what its ledger names, and nothing that
// only carries its labels.
func TestCopiesOutliveTheMachine(t *testing.T) {
	pvc := func(w *world, owners ...metav1.OwnerReference) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: "restore-root", Labels: w.vms()[east+"/vm-web"].Labels, OwnerReferences: owners,
		}}
	}
	ofCopy := metav1.OwnerReference{APIVersion: "kubevirt.io/v1", Kind: "VirtualMachine", Name: "copy", UID: copyUID}
	of := " of " + string(machineUID)
	cases := map[string]struct {
		reason string
		copy   func(*world)
		vms    string // those that stay
		pvcs   int
	}{
		"Clone": {
			reason: "a VirtualMachineClone copies the labels of its source, and is a person's",
			copy:   func(w *world) { w.put(east, w.duplicate("web-before-upgrade")) },
			vms:    east + "/web-before-upgrade" + of,
		},
		"RecordedNameInAnotherCluster": {
			reason: "a copy of the recorded name in a cluster that the ledger does not name is another virtual machine",
			copy:   func(w *world) { w.put(west, w.duplicate(vmName)) },
			vms:    west + "/vm-web" + of,
		},
		"SameUIDInAnotherCluster": {
			reason: "a restored etcd brings the recorded UID into another cluster, and the ledger names its own cluster alone",
			copy: func(w *world) {
				same := w.duplicate(vmName)
				same.UID = w.vms()[east+"/vm-web"].UID
				w.put(west, same)
			},
			vms: west + "/vm-web" + of,
		},
		"RestoredDiskOfACopy": {
			reason: "a restored disk that a copy owns keeps nobody waiting for its end",
			copy:   func(w *world) { w.put(east, pvc(w, ofCopy)) },
			pvcs:   1,
		},
		"RestoredDiskOfNobody": {
			reason: "a restored disk that nothing owns carries the labels of its source, and stays",
			copy:   func(w *world) { w.put(east, pvc(w)) },
			pvcs:   1,
		},
		"ForgedDiskRecord": {
			reason: "a tenant who writes a stranger's disk into the record of disks gets nothing deleted",
			copy: func(w *world) {
				stranger := pvc(w)
				stranger.Labels = nil
				w.put(east, stranger)
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm) // so that the operator does not write that record anew
				record := vitistackv1alpha1.DiskRecord{{Kind: vitistackv1alpha1.DiskKindPersistentVolumeClaim, Name: stranger.Name,
					UID: stranger.UID}}
				w.editMachine(annotated(vitistackv1alpha1.AnnotationPlacementDisks, record.String()))
			},
			pvcs: 1,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := runs(t)
			tc.copy(w)
			w.mustSettle()
			w.deleteMachine()
			w.mustSettle()
			pvcs := &corev1.PersistentVolumeClaimList{}
			if err := w.clients[east].List(t.Context(), pvcs); err != nil {
				t.Fatal(err)
			}
			want := []any{false, tc.vms, tc.pvcs}
			if diff := cmp.Diff(want, []any{w.machine() != nil, w.where(), len(pvcs.Items)}); diff != "" {
				t.Errorf("%s: the Machine is there, VirtualMachines, disks (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCopiesAreTold: a copy is named in a condition while the Machine lives, and neither changes
// nor stops it.
func TestCopiesAreTold(t *testing.T) {
	w := runs(t)
	vm := w.vms()[east+"/vm-web"]
	w.put(east, w.duplicate("web-copy"))
	w.remove(east, &vm) // a live look sees the copy alone
	w.mustSettle()
	if got := w.condition("NoCopies"); got != "False/CopiesFound" || !strings.Contains(w.says("NoCopies"), "web-copy") {
		t.Errorf("a copy that is there is told by its name: %s, %s", got, w.says("NoCopies"))
	}
	if got := w.condition("Ready"); got != "False/Vanished" {
		t.Errorf("a copy is no replacement for the virtual machine that is gone: Ready is %s", got)
	}
}

// TestOneClusterUnderTwoNames: two KubevirtConfigs that lead to one cluster show one virtual
// machine, not two.
func TestOneClusterUnderTwoNames(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	w.put(east, foundVM(ours))
	w.manager.AddMockedClient(west, w.clients[east])
	for config, other := range map[string]string{east: west, west: east} {
		w.manager.SetState(clientmgr.State{
			Config: config, Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, ClusterUID: east, RememberedUID: east,
			IdentityVerified: metav1.ConditionTrue, SharedWith: []string{other},
		})
	}
	w.mustSettle(chain())
	if got := w.condition("Placed"); got != "True/Adopted" {
		t.Fatalf("a virtual machine that is seen through two KubevirtConfigs is one: Placed is %s", got)
	}
	w.editMachine(losesLedger)
	w.loseStatus()
	w.deleteMachine()
	w.mustSettle(chain())
	vms := &kubevirtv1.VirtualMachineList{}
	if err := w.clients[east].List(t.Context(), vms); err != nil {
		t.Fatal(err)
	}
	if w.machine() != nil || len(vms.Items) > 0 {
		t.Errorf("a lost ledger is found through two KubevirtConfigs of one cluster: the Machine is there: %t, %d virtual machines", w.machine() != nil, len(vms.Items))
	}
}

// TestRelabelledVM: a virtual machine that the ledger names and that was labelled as another
// Machine's is not deleted, and not left behind without a word. What carries the Machine's labels
// under another name is no stand-in for it.
func TestRelabelledVM(t *testing.T) {
	w := runs(t)
	w.put(east, w.duplicate("web-renamed"))
	w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Labels[vitistackv1alpha1.LabelMachineUID] = string(anotherUID) })
	w.deleteMachine()
	recorder := events.NewFakeRecorder(100)
	w.mustSettle(machine.WithEvents(recorder))
	close(recorder.Events)
	var told strings.Builder
	for event := range recorder.Events {
		told.WriteString(event + "\n")
	}
	if got, want := w.where(), east+"/vm-web of "+string(anotherUID)+", "+east+"/web-renamed of "+string(
		machineUID); got != want {
		t.Errorf("there is left %s, not %s", got, want)
	}
	for _, name := range []string{"web-renamed", "vm-web"} {
		if !strings.Contains(told.String(), name) {
			t.Errorf("nobody is told that %s was kept:\n%s", name, told.String())
		}
	}
}
