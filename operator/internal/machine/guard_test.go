package machine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

const (
	foundUID  = types.UID("0f000000-0000-4000-8000-000000000001")
	legacyMAC = "02:12:00:00:00:07"
)

// foundVM is a VirtualMachine that was there before the Machine was placed.
func foundVM(change ...func(*kubevirtv1.VirtualMachine)) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vmName, UID: foundUID, Labels: map[string]string{}},
		Spec:       kubevirtv1.VirtualMachineSpec{Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{}},
	}
	vm.Spec.Template.Spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{{Name: "default", MacAddress: legacyMAC}}
	for _, each := range change {
		each(vm)
	}
	return vm
}

func labelled(pairs ...string) func(*kubevirtv1.VirtualMachine) {
	return func(vm *kubevirtv1.VirtualMachine) {
		for i := 0; i < len(pairs); i += 2 {
			vm.Labels[pairs[i]] = pairs[i+1]
		}
	}
}

func oursBy(machine types.UID, supervisor string) func(*kubevirtv1.VirtualMachine) {
	return labelled(vitistackv1alpha1.LabelMachineUID, string(machine), vitistackv1alpha1.LabelSupervisorUID, supervisor)
}

var (
	ours      = oursBy(machineUID, supervisorID)
	foreign   = oursBy(anotherUID, supervisorID)
	elsewhere = oursBy(machineUID, "another-supervisor")
	legacy    = labelled(vitistackv1alpha1.LegacyLabelSourceMachine, "web", vitistackv1alpha1.LegacyLabelManagedBy,
		"vitistack")
)

func controlled(vm *kubevirtv1.VirtualMachine) {
	vm.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "pool.kubevirt.io/v1alpha1", Kind: "VirtualMachinePool", Name: "pool", UID: "pool-uid",
		Controller: ptr.To(true),
	}}
}

// legacyNC is the NetworkConfiguration that an earlier release made for the Machine web.
func legacyNC(mac string) *vitistackv1alpha1.NetworkConfiguration {
	return &vitistackv1alpha1.NetworkConfiguration{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web",
			Labels: map[string]string{vitistackv1alpha1.LegacyLabelSourceMachine: "web"}},
		Spec: vitistackv1alpha1.NetworkConfigurationSpec{
			Name: "web", NetworkInterfaces: []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "default",
				MacAddress: mac}},
		},
	}
}

// always and never are a Freshness.
type freshness bool

func (f freshness) Fresh(*vitistackv1alpha1.Machine) bool { return bool(f) }
func (freshness) Placed(*vitistackv1alpha1.Machine)       {}

// Recorded says that a process remembers nothing of what it has recorded.
func (freshness) Recorded(*vitistackv1alpha1.Machine) bool { return false }

func adopted(config string) outcome {
	o := at(config)
	o.Placed = "True/Adopted"
	return o
}

func refused(reason, vms string) outcome {
	o := failed(reason, "")
	o.VMs = vms
	return o
}

type guardCase struct {
	reason  string
	machine func(*vitistackv1alpha1.Machine)
	east    *kubevirtv1.VirtualMachine
	west    *kubevirtv1.VirtualMachine
	nc      *vitistackv1alpha1.NetworkConfiguration
	silent  string
	fresh   bool
	want    outcome
}

func TestGuard(t *testing.T) {
	anywhere := func(*vitistackv1alpha1.Machine) {}
	mine, other := "/vm-web of "+string(machineUID), "/vm-web of "+string(anotherUID)
	consent := annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID))
	both := func(a, b func(*vitistackv1alpha1.Machine)) func(*vitistackv1alpha1.Machine) {
		return func(m *vitistackv1alpha1.Machine) { a(m); b(m) }
	}
	cases := map[string]guardCase{
		"OursElsewhere": {
			reason:  "a virtual machine that is in east counts more than the default, which is west",
			machine: anywhere, east: foundVM(ours), want: adopted(east),
		},
		"OursElsewhereReferenced": {
			reason:  "a reference to west makes no second virtual machine of one that is in east, as upstream did",
			machine: in(west), east: foundVM(ours), want: refused("AlreadyPlaced", east+mine),
		},
		"OursHere": {
			reason:  "a reference to where the virtual machine is takes it over",
			machine: in(east), east: foundVM(ours), want: adopted(east),
		},
		"OursTwice": {
			reason:  "two virtual machines that could be the Machine's are a person's to tell apart",
			machine: in(east), east: foundVM(ours), west: foundVM(ours), want: refused("DuplicateVM", east+mine+", "+west+mine),
		},
		"OursWhileOtherSilent": {
			reason:  "a virtual machine that is found by UID needs no other cluster's answer",
			machine: in(east), east: foundVM(ours), silent: west, want: adopted(east),
		},
		"Foreign": {
			reason:  "another Machine's virtual machine of the name is left alone",
			machine: in(east), east: foundVM(foreign), want: refused("NameCollision", east+other),
		},
		"OtherSupervisor": {
			reason:  "a virtual machine of another supervisor is refused, though a restored one has our Machine's UID",
			machine: both(in(east), consent), east: foundVM(elsewhere), want: refused("AdoptionRefused", east+mine),
		},
		"ForeignConsent": {
			reason:  "consent does not reach a virtual machine that another Machine owns",
			machine: both(in(east), consent), east: foundVM(foreign), want: refused("AdoptionRefused", east+other),
		},
		"Unlabelled": {
			reason:  "an explicit reference is no consent to take over what has no labels",
			machine: in(east), east: foundVM(), want: refused("NameCollision", east+"/vm-web of "),
		},
		"UnlabelledConsent": {
			reason:  "the annotation that names cluster and UID is consent to take over what has no labels",
			machine: both(in(east), consent), east: foundVM(), want: adopted(east),
		},
		"UnlabelledConsentDefault": {
			reason: "a consent that names east counts more than the default, which is west", machine: consent, east: foundVM(),
			want: adopted(east),
		},
		"ConsentToAnother": {
			reason:  "a consent that names another UID is none for this virtual machine",
			machine: both(in(east), annotated(vitistackv1alpha1.AnnotationAdopt, east+"/x")),
			east:    foundVM(), want: refused("NameCollision", east+"/vm-web of "),
		},
		"ConsentToNothing": {
			reason:  "a consent to what does not exist makes no new virtual machine",
			machine: both(in(east), consent), fresh: true, want: refused("AdoptionRefused", ""),
		},
		"Controlled": {
			reason:  "a virtual machine that a pool controls is the pool's, whatever a person consents to",
			machine: both(in(east), consent), east: foundVM(controlled), want: refused("AdoptionRefused", east+"/vm-web of "),
		},
		"EarlierLabels": {
			reason:  "a virtual machine with the older labels is not the Machine's by its name alone",
			machine: in(east), east: foundVM(legacy), want: refused("NameCollision", east+"/vm-web of "),
		},
		"EarlierConsent": {
			reason:  "a person's word is proof for a virtual machine with the older labels",
			machine: both(in(east), consent), east: foundVM(legacy), want: adopted(east),
		},
		"EarlierMAC": {
			reason:  "an address of the Machine's NetworkConfiguration is proof for a virtual machine with the older labels",
			machine: in(east), east: foundVM(legacy), nc: legacyNC(legacyMAC), want: adopted(east),
		},
		"EarlierMACElsewhere": {
			reason: "an address that is in use in east counts more than the default, which is west", machine: anywhere,
			east: foundVM(legacy), nc: legacyNC(legacyMAC), want: adopted(east),
		},
		"EarlierMACReferenced": {
			reason: "an address that is in use in east speaks against an explicit reference to west", machine: in(west),
			east: foundVM(legacy), nc: legacyNC(legacyMAC),
			want: refused("AlreadyPlaced", east+"/vm-web of "),
		},
		"EarlierOtherMAC": {
			reason:  "an address that is not the Machine's proves nothing for a virtual machine with the older labels",
			machine: in(east), east: foundVM(legacy), nc: legacyNC("02:12:00:00:00:08"),
			want: refused("NameCollision", east+"/vm-web of "),
		},
		"SilentNotFresh": {
			reason:  "a Machine that is not fresh may have its virtual machine in a silent cluster",
			machine: in(east), silent: west, want: pending("ClustersUnanswered"),
		},
		"SilentFresh": {
			reason:  "a fresh Machine has no virtual machine anywhere, and waits for no silent cluster",
			machine: in(east), silent: west, fresh: true, want: at(east),
		},
		"SilentItself": {
			reason:  "the chosen cluster must answer, for a fresh Machine too",
			machine: in(west), silent: west, fresh: true, want: pending("ClustersUnanswered"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { tc.run(t) })
	}
}

func (tc guardCase) run(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine(tc.machine))
	if tc.nc != nil {
		w.put(supervisor, tc.nc)
	}
	for config, vm := range map[string]*kubevirtv1.VirtualMachine{east: tc.east, west: tc.west} {
		if vm != nil {
			w.put(config, vm.DeepCopy())
		}
	}
	if tc.silent != "" {
		w.silence(tc.silent)
	}
	before := w.vms()
	w.mustSettle(chain(), withDefault(west), machine.WithFreshness(freshness(tc.fresh)))
	if diff := cmp.Diff(tc.want, w.outcome().without(tc.want)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
	}
	for name, vm := range before {
		if now := w.vms()[name]; tc.want.Phase == vitistackv1alpha1.MachinePhaseFailed &&
			now.ResourceVersion != vm.ResourceVersion {
			t.Errorf("%s: %s was changed", tc.reason, name)
		}
	}
}

// TestConsentNamesTheCluster: who says which VirtualMachine is meant has said where it is.
func TestConsentNamesTheCluster(t *testing.T) {
	for name, vm := range map[string]*kubevirtv1.VirtualMachine{"Unlabelled": foundVM(), "Earlier": foundVM(legacy)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east, west},
				newMachine(annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID))))
			w.put(east, vm)
			w.mustSettle(chain())
			if diff := cmp.Diff(adopted(east), w.outcome().without(adopted(east))); diff != "" {
				t.Errorf("without a reference or a default (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSearchAdopts: an unlabelled VirtualMachine is taken over by the search alone, and only if
// every cluster has answered.
func TestSearchAdopts(t *testing.T) {
	w := newWorld(t, []string{east, west}, newMachine())
	w.put(east, foundVM())
	w.silence(west)
	w.mustSettle(chain())
	if got := w.condition("Placed"); got != "False/ClustersUnanswered" {
		t.Errorf("with a silent cluster: %s", got)
	}
	w.wake(west)
	w.mustSettle(chain())
	if diff := cmp.Diff(adopted(east), w.outcome().without(adopted(east))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	nc := &vitistackv1alpha1.NetworkConfiguration{}
	if err := w.clients[supervisor].Get(t.Context(), webKey, nc); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(legacyMAC, nc.Spec.NetworkInterfaces[0].MacAddress); diff != "" {
		t.Errorf("the address of the adopted VirtualMachine (-want +got):\n%s", diff)
	}
}
