package machine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// kubevirtFinalizer is on every VirtualMachine.
const kubevirtFinalizer = "kubevirt.io/virtualMachineControllerFinalize"

func (w *world) deleteMachine() {
	w.t.Helper()
	m := w.machine()
	if err := w.clients[supervisor].Delete(w.t.Context(), m, client.Preconditions{UID: &m.UID}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) editVM(change func(*kubevirtv1.VirtualMachine)) {
	w.t.Helper()
	edit(w, east, client.ObjectKey{Namespace: namespace, Name: vmName}, &kubevirtv1.VirtualMachine{}, change)
}

// TestDeletionInOrder: upstream took the finalizer off, and gave the addresses away, while the
// virtual machine still ran.
func TestDeletionInOrder(t *testing.T) {
	w := placed(t)
	w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Finalizers = []string{kubevirtFinalizer} })
	disk := &cdiv1beta1.DataVolume{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: w.vms()[east+"/vm-web"].Spec.DataVolumeTemplates[0].Name, Finalizers: []string{"cdi"},
		Labels: w.vms()[east+"/vm-web"].Labels,
	}}
	w.put(east, disk)
	w.deleteMachine()

	waits := func(on string) {
		t.Helper()
		result := w.mustSettle()
		got := []any{w.machine() != nil, w.networkConfiguration(), result.RequeueAfter > 0}
		if diff := cmp.Diff([]any{true, true, true}, got); diff != "" {
			t.Fatalf("while %s is there: Machine, addresses, again (-want +got):\n%s", on, diff)
		}
		if got := w.machine().Status.Phase; got != vitistackv1alpha1.MachinePhaseTerminating {
			t.Errorf("while %s is there the phase is %s", on, got)
		}
	}
	waits("the VirtualMachine")
	if vm := w.vms()[east+"/vm-web"]; vm.DeletionTimestamp == nil {
		t.Fatal("the VirtualMachine is not being deleted")
	}
	w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Finalizers = nil })
	waits("the disk")
	edit(w, east, client.ObjectKeyFromObject(disk), disk, func(d *cdiv1beta1.DataVolume) { d.Finalizers = nil })
	w.forget()
	if _, err := w.reconcile(); err != nil {
		t.Fatal(err)
	}
	want := []string{"supervisor: patch NetworkConfiguration", "supervisor: delete NetworkConfiguration",
		"supervisor: patch Machine"}
	if diff := cmp.Diff(want, w.written()); diff != "" || w.machine() != nil {
		t.Errorf("the end (-want +got):\n%s", diff)
	}
}

// gone tells what is left after a deletion.
type gone struct{ Machine, NetworkConfiguration, VM bool }

func TestDeletion(t *testing.T) {
	stripped := func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement) }
	release := annotated(vitistackv1alpha1.AnnotationForceRelease, east)
	cases := map[string]struct {
		reason string
		before func(*world)
		left   gone
		ready  string
	}{
		"Plain": {reason: "of a Machine that is deleted nothing is left", before: func(*world) {}},
		"Unreachable": {
			reason: "a cluster that is silent has not said that the virtual machine is gone",
			before: func(w *world) { w.silence(east) }, left: gone{true, true, true}, ready: "Unknown/Unreachable",
		},
		"Released": {
			reason: "a person may give up what cannot be reached",
			before: func(w *world) { w.silence(east); w.editMachine(release) }, left: gone{VM: true},
		},
		"ReleasedElsewhere": {
			reason: "consent that names another cluster is no consent",
			before: func(w *world) {
				w.silence(east)
				w.editMachine(annotated(vitistackv1alpha1.AnnotationForceRelease, west))
			},
			left: gone{true, true, true}, ready: "Unknown/Unreachable",
		},
		"ReleasedReachable": {
			reason: "what can be deleted is not abandoned",
			before: func(w *world) { w.editMachine(release) },
		},
		"Replaced": {
			reason: "a virtual machine of the name that is somebody else's is not deleted, as upstream did",
			before: func(w *world) {
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				w.put(east, foundVM(foreign))
			},
			left: gone{VM: true},
		},
		"Paused": {
			reason: "a Machine that is paused is not deleted either",
			before: func(w *world) { w.editMachine(annotated(vitistackv1alpha1.AnnotationPaused, "true")) },
			left:   gone{true, true, true}, ready: "False/Deleting",
		},
		"OtherProvider": {
			reason: "a Machine that was given another provider is still cleaned up by who made it",
			before: func(w *world) { w.editMachine(provider("proxmox")) },
		},
		"LedgerLost": {
			reason: "a virtual machine with the Machine's labels and address replaces a lost ledger",
			before: func(w *world) { w.editMachine(stripped) },
		},
		"LedgerLostVMGone": {
			reason: "a status that says placed, and that nothing confirms, lets no Machine go",
			before: func(w *world) {
				vm := w.vms()[east+"/vm-web"]
				w.remove(east, &vm)
				w.editMachine(stripped)
			},
			left: gone{true, true, false}, ready: "False/Deleting",
		},
		"AllLost": {
			reason: "a Machine with a finalizer and no record was placed somewhere, because both are written together",
			before: func(w *world) { w.editMachine(stripped); w.loseStatus() },
		},
		"AllLostSilent": {
			reason: "a Machine that lost its record may have its virtual machine where nobody answers",
			before: func(w *world) { w.editMachine(stripped); w.loseStatus(); w.silence(east) },
			left:   gone{true, true, true}, ready: "False/Deleting",
		},
		"LabelsLost": {
			reason: "a virtual machine that lost its labels is known by the recorded UID",
			before: func(w *world) { w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Labels = nil }) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			tc.before(w)
			w.deleteMachine()
			w.mustSettle()
			got := gone{Machine: w.machine() != nil, NetworkConfiguration: w.networkConfiguration(), VM: len(w.vms()) > 0}
			if diff := cmp.Diff(tc.left, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if got.Machine && w.condition("Ready") != tc.ready {
				t.Errorf("%s: Ready is %s, not %s", tc.reason, w.condition("Ready"), tc.ready)
			}
		})
	}
}

func (w *world) loseStatus() {
	w.t.Helper()
	m := w.machine()
	m.Status = vitistackv1alpha1.MachineStatus{}
	if err := w.clients[supervisor].Status().Update(w.t.Context(), m); err != nil {
		w.t.Fatal(err)
	}
}

// TestDeletionOfOneNeverPlaced: a typo in the reference made such a Machine immortal upstream.
func TestDeletionOfOneNeverPlaced(t *testing.T) {
	for _, finalizer := range []string{vitistackv1alpha1.FinalizerMachine, "somebody.example/else"} {
		w := newWorld(t, []string{east}, newMachine(in("nowhere"), func(m *vitistackv1alpha1.Machine) {
			m.Finalizers = []string{finalizer}
		}))
		w.deleteMachine()
		w.mustSettle()
		if ours := finalizer == vitistackv1alpha1.FinalizerMachine; ours != (w.machine() == nil) {
			t.Errorf("with the finalizer %s: gone is %t", finalizer, w.machine() == nil)
		}
	}
}

// TestDeletionKeepsCopies: a clone, a restored copy and an export carry the Machine's labels,
// because KubeVirt and CDI copy them. They are a person's. Only what the record names goes.
func TestDeletionKeepsCopies(t *testing.T) {
	w := placed(t)
	vm := w.vms()[east+"/vm-web"]
	template := vm.Spec.DataVolumeTemplates[0].Name
	for _, name := range []string{template, "web-backup"} {
		w.put(east, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name,
			Labels: vm.Labels}})
	}
	copied := vm.DeepCopy()
	copied.Name, copied.UID, copied.ResourceVersion = "web-copy", anotherUID, ""
	w.put(east, copied)
	w.deleteMachine()
	w.mustSettle()
	pvcs := &corev1.PersistentVolumeClaimList{}
	if err := w.clients[east].List(t.Context(), pvcs); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, pvc := range pvcs.Items {
		left = append(left, pvc.Name)
	}
	want := []any{false, []string{"web-backup"}, east + "/web-copy of " + string(machineUID)}
	if diff := cmp.Diff(want, []any{w.machine() != nil, left, w.where()}); diff != "" {
		t.Errorf("the Machine is there, PVCs, VirtualMachines (-want +got):\n%s", diff)
	}
}

// TestDeletionInTheSupervisor: an early layout kept disks in the supervisor. They go only where the
// flag says so, and only the Machine's own.
func TestDeletionInTheSupervisor(t *testing.T) {
	for _, legacy := range []bool{false, true} {
		w := placed(t)
		w.put(supervisor, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: "ours", Labels: w.vms()[east+"/vm-web"].Labels,
		}})
		w.put(supervisor, &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "other"}})
		settings := worldSettings()
		settings.LegacySupervisorPVCs = legacy
		w.options = append(w.options, machine.WithSettings(settings))
		w.deleteMachine()
		w.mustSettle()
		pvcs := &corev1.PersistentVolumeClaimList{}
		if err := w.clients[supervisor].List(t.Context(), pvcs); err != nil {
			t.Fatal(err)
		}
		if gone := len(pvcs.Items) == 1; gone != legacy {
			t.Errorf("with the flag %t there are %d PVCs left", legacy, len(pvcs.Items))
		}
	}
}
