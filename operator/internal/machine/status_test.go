package machine_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestCostOfAMachine counts what a Machine costs from its creation to Running, and what it costs at
// rest: nothing.
func TestCostOfAMachine(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(in(east), wantsSecret))
	if err := w.create(); err != nil {
		t.Fatal(err)
	}
	w.run(east)
	w.forgetRun()
	if _, err := w.reconcile(); err != nil {
		t.Fatal(err)
	}
	if got := w.machine().Status.Phase; got != vitistackv1alpha1.MachinePhaseRunning {
		t.Fatalf("the phase is %s", got)
	}
	writes := map[string]int{}
	for _, c := range w.written() {
		cluster, _, _ := strings.Cut(c, ":")
		writes[cluster]++
	}
	if writes[supervisor] > 6 || writes[east] > 2 || writes[west] > 0 {
		t.Errorf("too many writes: %v of %v", writes, w.written())
	}

	w.manager.LiveFunc = func(config string) (client.Reader, error) {
		t.Errorf("%s is asked live about a Machine at rest", config)
		return w.clients[config], nil
	}
	w.forget()
	if result, err := w.reconcile(); err != nil || result.RequeueAfter != 0 {
		t.Errorf("at rest: %v, %v", result, err)
	}
	if got := w.written(); len(got) > 0 {
		t.Errorf("at rest it writes %v", got)
	}
}

// forgetRun takes the calls out of the record by which the test itself played KubeVirt.
func (w *world) forgetRun() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = slices.DeleteFunc(w.calls, func(c call) bool { return c == call{east, "create", "VirtualMachineInstance"} })
}

// TestLossOfContact: it never makes a Machine fail, and what is known of it stays.
func TestLossOfContact(t *testing.T) {
	w := placed(t)
	w.run(east)
	w.mustSettle()
	before := w.machine().Status
	w.silence(east)
	w.mustSettle()
	after := w.machine().Status
	if diff := cmp.Diff(before.Phase, after.Phase); diff != "" {
		t.Errorf("the phase (-want +got):\n%s", diff)
	}
	got := []string{w.condition("Ready"), w.condition("RemoteReachable"), w.condition("Placed"), after.NodeName}
	if diff := cmp.Diff([]string{"Unknown/Unreachable", "False/Unreachable", "True/Placed", "node-1"}, got); diff != "" {
		t.Errorf("Ready, RemoteReachable, Placed, node (-want +got):\n%s", diff)
	}
	w.wake(east)
	w.mustSettle()
	if got := w.condition("Ready"); got != "True/Ready" {
		t.Errorf("with contact again: %s", got)
	}
}

// TestRefusedChangeIsObserved: a change that cannot be made must not hide what becomes of the
// guest.
func TestRefusedChangeIsObserved(t *testing.T) {
	w := placed(t)
	w.run(east)
	w.mustSettle()
	w.editMachine(sized("gigantic"))
	edit(w, east, client.ObjectKey{Namespace: namespace, Name: vmName}, &kubevirtv1.VirtualMachineInstance{},
		func(vmi *kubevirtv1.VirtualMachineInstance) {
			vmi.Status.NodeName = "node-2"
		})
	w.mustSettle()
	status := w.machine().Status
	got := []string{string(status.Phase), w.condition("Ready"), status.NodeName}
	if diff := cmp.Diff([]string{"Running", "False/UnknownClass", "node-2"}, got); diff != "" {
		t.Errorf("phase, Ready, node (-want +got):\n%s", diff)
	}
}
