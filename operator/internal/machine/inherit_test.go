package machine_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const heirUID = types.UID("6f1d1a5e-0000-4000-8000-00000000000a")

// losesLedger is a backup that left the operator's annotations out.
func losesLedger(m *vitistackv1alpha1.Machine) {
	delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement)
}

// comeBack replaces the Machine web by what a backup of objects makes of it: annotations and
// finalizers stay, UID and status do not.
func (w *world) comeBack(uid types.UID, change ...func(*vitistackv1alpha1.Machine)) {
	w.t.Helper()
	m := w.machine()
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Finalizers = nil })
	if w.machine() != nil {
		w.remove(supervisor, w.machine())
	}
	m.UID, m.ResourceVersion, m.DeletionTimestamp, m.Status = uid, "", nil, vitistackv1alpha1.MachineStatus{}
	for _, each := range change {
		each(m)
	}
	w.put(supervisor, m)
}

// consent says of the VirtualMachine in east what the message asks for.
func (w *world) consent() {
	w.t.Helper()
	message := w.machine().Status.Condition(vitistackv1alpha1.ConditionReady).Message
	_, rest, found := strings.Cut(message, "annotation "+vitistackv1alpha1.AnnotationAdopt+" with the value ")
	value, _, more := strings.Cut(rest, " ")
	if !found || !more {
		w.t.Fatalf("the message does not say what to do: %s", message)
	}
	w.editMachine(annotated(vitistackv1alpha1.AnnotationAdopt, value))
}

// furnish gives the VirtualMachine of the Machine web what KubeVirt makes of it, and its neighbours
// something that is not its.
func furnish(t *testing.T) *world {
	t.Helper()
	w := placed(t, wantsSecret)
	w.run(east)
	vm := w.vms()[east+"/vm-web"]
	for _, template := range vm.Spec.DataVolumeTemplates {
		owner := metav1.OwnerReference{APIVersion: "kubevirt.io/v1", Kind: "VirtualMachine", Name: vm.Name, UID: vm.UID,
			Controller: new(true)}
		disk := metav1.ObjectMeta{Namespace: namespace, Name: template.Name, Labels: template.Labels,
			OwnerReferences: []metav1.OwnerReference{owner}}
		w.put(east, &cdiv1beta1.DataVolume{ObjectMeta: *disk.DeepCopy()})
		disk.OwnerReferences = []metav1.OwnerReference{{APIVersion: "cdi.kubevirt.io/v1beta1", Kind: "DataVolume",
			Name: template.Name, UID: "dv", Controller: new(true)}}
		w.put(east, &corev1.PersistentVolumeClaim{ObjectMeta: disk})
	}
	loose := metav1.ObjectMeta{Namespace: namespace, Name: "loose", Labels: maps.Clone(vm.Labels)}
	for _, cluster := range []string{east, supervisor} {
		w.put(cluster, &corev1.PersistentVolumeClaim{ObjectMeta: *loose.DeepCopy()})
		other := loose.DeepCopy()
		other.Name, other.Labels[vitistackv1alpha1.LabelMachineUID] = "others", string(anotherUID)
		w.put(cluster, &corev1.PersistentVolumeClaim{ObjectMeta: *other})
	}
	w.mustSettle()
	return w
}

// labelsOf are those of everything that there is of a Machine of one UID, by what it is.
func (w *world) labelsOf(uid types.UID) map[string]int {
	w.t.Helper()
	found := map[string]int{}
	of := client.MatchingLabels{vitistackv1alpha1.LabelMachineUID: string(uid),
		vitistackv1alpha1.LabelSupervisorUID: supervisorID}
	for what, list := range map[string]client.ObjectList{
		"VM": &kubevirtv1.VirtualMachineList{}, "VMI": &kubevirtv1.VirtualMachineInstanceList{},
		"DataVolume":           &cdiv1beta1.DataVolumeList{},
		"claim":                &corev1.PersistentVolumeClaimList{},
		"NetworkConfiguration": &vitistackv1alpha1.NetworkConfigurationList{},
	} {
		for _, cluster := range []string{east, west, supervisor} {
			if err := w.clients[cluster].List(w.t.Context(), list, of); err != nil {
				w.t.Fatal(err)
			}
			found[what] += meta.LenList(list)
		}
	}
	return found
}

var backups = map[string][]func(*vitistackv1alpha1.Machine){
	"WithLedger": nil, "WithoutLedger": {losesLedger}, "WithNothing": {func(m *vitistackv1alpha1.Machine) {
		m.Annotations = nil
	}},
}

// TestInheritance: a Machine that came back under a new UID waits for a person's word, and then has
// all that its former self had, as it was.
func TestInheritance(t *testing.T) {
	for name, backup := range backups {
		t.Run(name, func(t *testing.T) {
			w := furnish(t)
			before, had := w.vms()[east+"/vm-web"], w.labelsOf(machineUID)
			if want := map[string]int{"VM": 1, "VMI": 1, "DataVolume": 1, "claim": 3,
				"NetworkConfiguration": 1}; !maps.Equal(want, had) {
				t.Fatalf("the test looks at too little: %v", had)
			}
			w.comeBack(heirUID, backup...)
			w.mustSettle(chain())
			if got := w.condition("Ready"); got != "False/NameCollision" ||
				w.vms()[east+"/vm-web"].ResourceVersion != before.ResourceVersion {
				t.Fatalf("without consent: Ready is %s, or the VM was changed", got)
			}
			w.consent()
			w.mustSettle(chain())
			after := w.vms()[east+"/vm-web"]
			if got := w.condition("Placed") + " " + w.condition("Ready"); got != "True/Placed True/Ready" &&
				got != "True/Adopted True/Ready" || len(w.vms()) != 1 {
				t.Errorf("the Machine is %s: %s", got, w.machine().Status.Condition("Ready").Message)
			}
			if !desired.IsOurs(after.Spec.Template.ObjectMeta.Labels, heirUID, supervisorID) {
				t.Errorf("the template is labelled %v", after.Spec.Template.ObjectMeta.Labels)
			}
			after.Spec.Template.ObjectMeta.Labels = before.Spec.Template.ObjectMeta.Labels
			if diff := cmp.Diff(before.Spec, after.Spec); diff != "" || after.UID != before.UID {
				t.Errorf("the VM was changed (-want +got):\n%s", diff)
			}
			had["claim"] = 1 // what the VM does not refer to is a copy, and nobody's inheritance
			if diff := cmp.Diff(had, w.labelsOf(heirUID)); diff != "" {
				t.Errorf("what it has, of what it had (-want +got):\n%s", diff)
			}
			w.hasAddress(t, before.Spec.Template.Spec.Domain.Devices.Interfaces[0].MacAddress)
			if got := w.ledger(); got.VMUID != string(before.UID) || got.Config != east {
				t.Errorf("the ledger is %+v", got)
			}
			w.deleteMachine()
			w.mustSettle()
			w.collectGarbage()
			w.mustSettle()
			left := w.labelsOf(heirUID)
			if w.machine() != nil || len(w.vms()) > 0 || left["claim"]+left["DataVolume"] > 0 ||
				w.labelsOf(anotherUID)["claim"] != 2 {
				t.Errorf("after the deletion there is %v of it, and %v of others; the Machine: %v", left, w.labelsOf(anotherUID),
					w.machine())
			}
		})
	}
}

// collectGarbage deletes, as the remote cluster does, what an owner had that is gone.
func (w *world) collectGarbage() {
	w.t.Helper()
	for _, list := range []client.ObjectList{&cdiv1beta1.DataVolumeList{}, &corev1.PersistentVolumeClaimList{}} {
		if err := w.clients[east].List(w.t.Context(), list); err != nil {
			w.t.Fatal(err)
		}
		_ = meta.EachListItem(list, func(item runtime.Object) error {
			if object := item.(client.Object); metav1.GetControllerOf(object) != nil {
				w.remove(east, object)
			}
			return nil
		})
	}
}

// hasAddress checks that the NetworkConfiguration is the heir's alone, and has the address that the
// guest has.
func (w *world) hasAddress(t *testing.T, mac string) {
	t.Helper()
	nc := &vitistackv1alpha1.NetworkConfiguration{}
	if err := w.clients[supervisor].Get(t.Context(), webKey, nc); err != nil {
		t.Fatal(err)
	}
	if got := nc.Spec.NetworkInterfaces; len(got) != 1 || got[0].MacAddress != mac {
		t.Errorf("the addresses are %v, not %s", got, mac)
	}
	if len(nc.OwnerReferences) != 1 || nc.OwnerReferences[0].UID != heirUID {
		t.Errorf("the owners are %v: garbage collection would delete it", nc.OwnerReferences)
	}
}

// TestInheritanceIsRefused: consent to a VirtualMachine that is somebody's changes nothing,
// whatever it says.
func TestInheritanceIsRefused(t *testing.T) {
	other := func(w *world, change func(*vitistackv1alpha1.Machine)) {
		m := newMachine(change)
		m.Name = "other"
		w.put(supervisor, m)
	}
	cases := map[string]struct {
		reason string
		change func(*world)
	}{
		"OtherSupervisor": {"two supervisors share the cluster, and both have a Machine web", func(w *world) {
			w.editVM(labelled(vitistackv1alpha1.LabelSupervisorUID, "another-supervisor"))
		}},
		"OtherName": {"a ledger was copied with a Machine: the VM is that of the other one", func(w *world) {
			w.editVM(labelled(vitistackv1alpha1.LabelSourceMachine, "other"))
		}},
		"Controlled": {"a pool's VM is the pool's", func(w *world) { w.editVM(controlled) }},
		"StillExists": {"the Machine of that UID is there, under another name", func(w *world) {
			other(w, func(*vitistackv1alpha1.Machine) {})
		}},
		"InALedger": {"another Machine has the VM in its ledger", func(w *world) {
			ledger := vitistackv1alpha1.Ledger{Config: east, ClusterUID: east, Namespace: namespace, VMName: vmName, Nonce: "n"}
			ledger.VMUID = string(w.vms()[east+"/vm-web"].UID)
			other(w, func(m *vitistackv1alpha1.Machine) {
				m.UID = anotherUID
				annotated(vitistackv1alpha1.AnnotationPlacement, ledger.String())(m)
			})
		}},
		"OtherVM": {"the consent is to a VM that was there before", func(w *world) {
			w.editMachine(annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID)))
		}},
		"StaleMachine": {"the Machine in hand is from a cache that is behind: it is no more", func(w *world) {
			w.stale = w.machine()
			w.comeBack(anotherUID, losesLedger)
		}},
	}
	for name, tc := range cases {
		for backupName, backup := range backups {
			t.Run(name+"/"+backupName, func(t *testing.T) {
				w := furnish(t)
				w.comeBack(heirUID, backup...)
				w.editMachine(annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(w.vms()[east+"/vm-web"].UID)))
				tc.change(w)
				before := w.vms()[east+"/vm-web"]
				for range 4 {
					_, _ = w.reconcile(chain())
				}
				w.stale = nil
				if after := w.vms()[east+"/vm-web"]; after.ResourceVersion != before.ResourceVersion || len(w.vms()) != 1 {
					t.Errorf("%s: %s; the VM is %v", tc.reason, w.where(), after.ObjectMeta)
				}
				if got := w.labelsOf(heirUID); got["claim"]+got["DataVolume"]+got["VMI"] > 0 {
					t.Errorf("%s: %v were taken", tc.reason, got)
				}
			})
		}
	}
}
