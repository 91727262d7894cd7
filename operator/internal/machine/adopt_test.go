package machine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// today are the labels that the public operator puts on everything now; those in legacy are the
// earlier ones.
var today = labelled(vitistackv1alpha1.LabelSourceMachine, "web", vitistackv1alpha1.LabelManagedBy, "kubevirt-operator")

func named(name string) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) { vm.Name = name }
}

// claimFor is a disk as the public operator made it: a claim of its own beside the VirtualMachine.
func claimFor(vm *kubevirtv1.VirtualMachine, name string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name,
		Labels: vm.Labels}}
}

// TestAdoptsThePublicOperators: its virtual machines are named with the prefix or without, labelled
// in the old way or the new, and taken over as they are: labels alone are written.
func TestAdoptsThePublicOperators(t *testing.T) {
	for name, labels := range map[string]func(*kubevirtv1.VirtualMachine){"Old": legacy, "New": today} {
		for _, vmName := range []string{"vm-web", "web"} {
			t.Run(name+"/"+vmName, func(t *testing.T) { adopts(t, foundVM(labels, named(vmName))) })
		}
	}
}

func adopts(t *testing.T, vm *kubevirtv1.VirtualMachine) {
	vm.Spec.Template.Spec.Domain.CPU = &kubevirtv1.CPU{Cores: 7}
	refersToDisk(vm)
	w := newWorld(t, []string{east, west}, newMachine())
	w.put(supervisor, legacyNC(legacyMAC))
	w.put(east, vm.DeepCopy())
	w.put(east, &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vm.Name}})
	other := claimFor(foundVM(labelled(vitistackv1alpha1.LabelSourceMachine, "other", vitistackv1alpha1.LabelManagedBy,
		"kubevirt-operator")), "other")
	for _, cluster := range []string{east, supervisor} {
		w.put(cluster, claimFor(vm, "disk"))
		w.put(cluster, other.DeepCopy())
	}
	settings := worldSettings()
	settings.LegacySupervisorPVCs = true
	w.options = append(w.options, machine.WithSettings(settings))
	w.mustSettle(chain())
	after := w.vms()[east+"/"+vm.Name]
	if diff := cmp.Diff(vm.Spec.Template.Spec, after.Spec.Template.Spec); diff != "" {
		t.Errorf("the adoption changed the spec (-want +got):\n%s", diff)
	}
	if got := w.ledger(); got.VMName != vm.Name || got.VMUID != string(foundUID) || got.Config != east {
		t.Errorf("the ledger is %+v", got)
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := w.clients[east].Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: vm.Name}, vmi); err != nil {
		t.Fatal(err)
	}
	for what, labels := range map[string]map[string]string{"VM": after.Labels,
		"template": after.Spec.Template.ObjectMeta.Labels, "VMI": vmi.Labels} {
		if !desired.IsOurs(labels, machineUID, supervisorID) {
			t.Errorf("the %s is labelled %v", what, labels)
		}
	}
	w.deleteMachine()
	w.mustSettle()
	left := map[string][]string{}
	for _, cluster := range []string{east, supervisor} {
		claims := &corev1.PersistentVolumeClaimList{}
		if err := w.clients[cluster].List(t.Context(), claims); err != nil {
			t.Fatal(err)
		}
		for _, claim := range claims.Items {
			left[cluster] = append(left[cluster], claim.Name)
		}
	}
	want := map[string][]string{east: {"other"}, supervisor: {"other"}}
	if diff := cmp.Diff(want, left); diff != "" || w.machine() != nil || len(w.vms()) > 0 {
		t.Errorf("after the deletion: claims (-want +got):\n%sVMs: %v", diff, w.where())
	}
}

// TestStrangersOfTheBareName: the name alone makes a virtual machine neither ours nor an obstacle.
func TestStrangersOfTheBareName(t *testing.T) {
	for name, vm := range map[string]*kubevirtv1.VirtualMachine{
		"Unlabelled":     foundVM(named("web")),
		"AnotherMachine": foundVM(named("web"), foreign),
		"AnotherName":    foundVM(named("web"), labelled(vitistackv1alpha1.LabelSourceMachine, "vm-web")),
	} {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		w.put(east, vm)
		w.mustSettle(chain())
		if got := w.ledger(); got.VMName != vmName {
			t.Errorf("%s: the ledger is %+v, Ready %s", name, got, w.condition("Ready"))
		}
		if now := w.vms()[east+"/web"]; now.UID != foundUID || len(now.Labels) != len(vm.Labels) {
			t.Errorf("%s was touched: %+v", name, now.ObjectMeta)
		}
	}
	w := newWorld(t, []string{east}, newMachine(in(east)))
	w.put(east, foundVM(named("web"), today))
	w.mustSettle(chain())
	if got := w.condition("Placed"); got != "False/NameCollision" {
		t.Errorf("one that may be this Machine's must stop it: Placed is %s", got)
	}
}

// TestAdoptionGoesOn: the labels of the virtual machine come last, so that a claim that broke off
// is finished.
func TestAdoptionGoesOn(t *testing.T) {
	for _, breaks := range []string{"PersistentVolumeClaim", "VirtualMachineInstance", anyVM} {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		w.put(supervisor, legacyNC(legacyMAC))
		w.put(east, foundVM(today, refersToDisk))
		w.put(east, claimFor(foundVM(today), "disk"))
		w.put(east, &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vmName}})
		w.before = func(c call) error {
			if c.cluster == east && c.kind == breaks && c.writes() {
				return errors.New("the connection broke")
			}
			return nil
		}
		for range 4 {
			_, _ = w.reconcile()
		}
		w.before = nil
		w.mustSettle()
		claim := &corev1.PersistentVolumeClaim{}
		if err := w.clients[east].Get(context.Background(), client.ObjectKey{Namespace: namespace, Name: "disk"},
			claim); err != nil {
			t.Fatal(err)
		}
		if vm := w.vms()[east+"/vm-web"]; !desired.IsOurs(claim.Labels, machineUID, supervisorID) ||
			!desired.IsOurs(vm.Labels, machineUID, supervisorID) {
			t.Errorf("%s: the claim is labelled %v, the VM %v", breaks, claim.Labels, vm.Labels)
		}
	}
}

// TestReferencesMigrate: a Machine goes from the annotation to the field and back, and nothing
// happens to its virtual machine.
func TestReferencesMigrate(t *testing.T) {
	w := placed(t)
	before := w.vms()[east+"/vm-web"]
	for _, step := range []func(*vitistackv1alpha1.Machine){
		byField(east),
		func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, annotationRef) },
		in(east),
		func(m *vitistackv1alpha1.Machine) { m.Spec.KubevirtConfigRef = nil },
	} {
		w.editMachine(step)
		w.mustSettle()
		if got := w.condition("Ready"); got != "False/Creating" {
			t.Errorf("Ready is %s", got)
		}
	}
	if after := w.vms()[east+"/vm-web"]; after.ResourceVersion != before.ResourceVersion {
		t.Error("the VirtualMachine was changed")
	}
}

// TestFinalizerComesBack: after an uninstall the ledger is there and the finalizer is not; a
// deletion would leave the virtual machine.
func TestFinalizerComesBack(t *testing.T) {
	w := placed(t)
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Finalizers = nil })
	w.mustSettle()
	if diff := cmp.Diff([]string{vitistackv1alpha1.FinalizerMachine}, w.machine().Finalizers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// refersToDisk gives a VirtualMachine the PVC "disk".
func refersToDisk(vm *kubevirtv1.VirtualMachine) {
	source := &kubevirtv1.PersistentVolumeClaimVolumeSource{}
	source.ClaimName = "disk"
	vm.Spec.Template.Spec.Volumes = append(vm.Spec.Template.Spec.Volumes, kubevirtv1.Volume{
		Name: "disk", VolumeSource: kubevirtv1.VolumeSource{PersistentVolumeClaim: source},
	})
}
