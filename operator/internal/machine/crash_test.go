package machine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var errCrash = errors.New("the process ended here")

// nth fails the write of that number, counted from 0.
func nth(n int) func(call) error {
	seen := 0
	return func(c call) error {
		if !c.writes() {
			return nil
		}
		seen++
		if seen == n+1 {
			return errCrash
		}
		return nil
	}
}

// wantsSecret has cloud-init that is too long for the VirtualMachine itself.
func wantsSecret(m *vitistackv1alpha1.Machine) {
	m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\n" + strings.Repeat("# long\n", 400)}
}

// TestCreationInOrder: the place is recorded before anything remote, the addresses before the
// VirtualMachine that has them.
func TestCreationInOrder(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east), wantsSecret))
	if err := w.create(); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range w.written() {
		if c != "supervisor: patch Machine" || len(order) == 0 { // the intent may be written again
			order = append(order, c)
		}
	}
	want := []string{
		"supervisor: patch Machine", "supervisor: create NetworkConfiguration", "cluster-east: create VirtualMachine",
		"cluster-east: create Secret", "supervisor: patch status of Machine",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	m := w.machine()
	if diff := cmp.Diff([]string{vitistackv1alpha1.FinalizerMachine}, m.Finalizers); diff != "" {
		t.Errorf("finalizers (-want +got):\n%s", diff)
	}
	vm := w.vms()[east+"/vm-web"]
	secrets := &corev1.SecretList{}
	if err := w.clients[east].List(t.Context(), secrets); err != nil || len(secrets.Items) != 1 {
		t.Fatalf("%d Secrets, %v", len(secrets.Items), err)
	}
	if owners := secrets.Items[0].OwnerReferences; len(owners) != 1 || owners[0].UID != vm.UID {
		t.Errorf("the Secret's owners are %v, not the VirtualMachine of UID %s", owners, vm.UID)
	}
	if vm.OwnerReferences != nil {
		t.Errorf("the VirtualMachine is owned by %v, which the remote cluster does not have", vm.OwnerReferences)
	}
	if got := w.ledger(); got.VMUID != string(vm.UID) ||
		got.Nonce != vm.Annotations[vitistackv1alpha1.AnnotationPlacementNonce] {
		t.Errorf("the ledger %v is not about the VirtualMachine %s", got, vm.UID)
	}
}

// TestCrashAtEveryWrite ends the process at each write in turn, before it is done and after, and
// goes on with a new one.
func TestCrashAtEveryWrite(t *testing.T) {
	clean := newWorld(t, []string{east, west}, newMachine(in(east), wantsSecret))
	if err := clean.create(); err != nil {
		t.Fatal(err)
	}
	writes := clean.written()
	if len(writes) < 5 {
		t.Fatalf("only %v is written: the test looks at too little", writes)
	}
	for n, write := range writes {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d done=%t %s", n, done, strings.ReplaceAll(write, ":", "")), func(t *testing.T) {
				w := newWorld(t, []string{east, west}, newMachine(in(east), wantsSecret))
				if done {
					w.after = nth(n)
				} else {
					w.before = nth(n)
				}
				if err := w.create(); err == nil {
					t.Fatal("nothing crashed")
				}
				w.before, w.after = nil, nil
				w.mustSettle()
				w.isWhole(t)
			})
		}
	}
}

// isWhole checks that everything of the Machine web is there, once.
func (w *world) isWhole(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(at(east).VMs, w.where()); diff != "" {
		t.Fatalf("VirtualMachines (-want +got):\n%s", diff)
	}
	vm := w.vms()[east+"/vm-web"]
	if got := w.ledger().VMUID; got != string(vm.UID) {
		t.Errorf("the ledger has the UID %q, the VirtualMachine %q", got, vm.UID)
	}
	secrets := &corev1.SecretList{}
	if err := w.clients[east].List(t.Context(), secrets); err != nil {
		t.Fatal(err)
	}
	if len(secrets.Items) != 1 || secrets.Items[0].OwnerReferences[0].UID != vm.UID {
		t.Errorf("the VirtualMachine has no cloud-init Secret of its own: %d", len(secrets.Items))
	}
	if !w.networkConfiguration() {
		t.Error("there is no NetworkConfiguration")
	}
}
