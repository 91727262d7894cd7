package machine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func sized(instanceType string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = instanceType }
}

func tagged(m *vitistackv1alpha1.Machine) { m.Spec.Tags = map[string]string{"talos": "1"} }

// byHand is what people do to a VirtualMachine.
func byHand(vm *kubevirtv1.VirtualMachine) {
	vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyHalted)
	spec := &vm.Spec.Template.Spec
	spec.Domain.CPU.Cores = 7
	spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, kubevirtv1.Disk{Name: "hot"})
	spec.Volumes = append(spec.Volumes, kubevirtv1.Volume{Name: "hot"})
	spec.NodeSelector = map[string]string{"rack": "7"}
}

func TestChange(t *testing.T) {
	cases := map[string]struct {
		reason string
		hand   func(*kubevirtv1.VirtualMachine)
		change func(*vitistackv1alpha1.Machine)
		want   func(*kubevirtv1.VirtualMachine)
	}{
		"Size": {
			reason: "a Machine that asks for another size gets that size, and nothing else changes", change: sized("large"),
			want: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.CPU.Cores = 4
				vm.Spec.Template.Spec.Domain.Memory.Guest.Set(4 << 30)
			},
		},
		"RunStrategy": {
			reason: "a run strategy that the Machine names now is written",
			change: func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted },
			want:   func(vm *kubevirtv1.VirtualMachine) { vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyHalted) },
		},
		"ByHand": {
			reason: "virtctl stop, hot-plugged disks and vitictl's sizes stay",
			hand:   byHand, want: func(*kubevirtv1.VirtualMachine) {},
		},
		"ByHandAndTags": {
			reason: "talos-operator rewrites the spec all the time: a tag is no wish for a size", hand: byHand, change: tagged,
			want: func(*kubevirtv1.VirtualMachine) {},
		},
		"ByHandAndSize": {
			reason: "a new size in a rewritten spec is a wish for it", hand: byHand, change: sized("large"),
			want: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Domain.CPU.Cores = 4
				vm.Spec.Template.Spec.Domain.Memory.Guest.Set(4 << 30)
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			if tc.hand != nil {
				w.editVM(tc.hand)
			}
			before := w.vms()[east+"/vm-web"]
			want := before.DeepCopy()
			tc.want(want)
			if tc.change != nil {
				w.editMachine(tc.change)
			}
			w.mustSettle()
			got := w.vms()[east+"/vm-web"]
			if diff := cmp.Diff(want.Spec, got.Spec); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if got.UID != before.UID || tc.change == nil && got.ResourceVersion != before.ResourceVersion {
				t.Errorf("%s: it was written", tc.reason)
			}
		})
	}
}

// TestAdoptedSpecStays: an adopted VirtualMachine is labelled, and changed only when the Machine
// changes.
func TestAdoptedSpecStays(t *testing.T) {
	w := newWorld(t, []string{east},
		newMachine(in(east), annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID))))
	w.put(east, foundVM())
	w.run(east)
	before := w.vms()[east+"/vm-web"]
	w.mustSettle()
	after := w.vms()[east+"/vm-web"]
	if diff := cmp.Diff(before.Spec.Template.Spec, after.Spec.Template.Spec); diff != "" {
		t.Errorf("the spec (-want +got):\n%s", diff)
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := w.clients[east].Get(t.Context(), keyOf(&after), vmi); err != nil {
		t.Fatal(err)
	}
	for what, labels := range map[string]map[string]string{
		"VirtualMachine": after.Labels, "template": after.Spec.Template.ObjectMeta.Labels, "instance": vmi.Labels,
	} {
		if labels[vitistackv1alpha1.LabelMachineUID] != string(machineUID) {
			t.Errorf("the %s has the labels %v", what, labels)
		}
	}
	w.editMachine(sized("large"))
	w.mustSettle()
	if cpu := w.vms()[east+"/vm-web"].Spec.Template.Spec.Domain.CPU; cpu == nil || cpu.Cores != 4 {
		t.Errorf("after a change of the Machine it has %v", cpu)
	}
}

// TestAdoptionThatCrashes: an instance without labels is in no cache, so its Machine would never be
// seen running.
func TestAdoptionThatCrashes(t *testing.T) {
	for n := range 5 {
		w := newWorld(t, []string{east},
			newMachine(in(east), annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID))))
		w.put(east, foundVM())
		w.run(east)
		w.after = nth(n)
		if _, err := w.reconcile(); err == nil {
			t.Fatalf("write %d: nothing crashed", n)
		}
		w.after = nil
		w.mustSettle()
		vm, vmi := w.vms()[east+"/vm-web"], &kubevirtv1.VirtualMachineInstance{}
		if err := w.clients[east].Get(t.Context(), keyOf(&vm), vmi); err != nil {
			t.Fatal(err)
		}
		if vm.UID != foundUID || vmi.Labels[vitistackv1alpha1.LabelMachineUID] == "" ||
			vm.Labels[vitistackv1alpha1.LabelMachineUID] == "" {
			t.Errorf("after a crash at write %d: %s, labels %v and %v", n, w.where(), vm.Labels, vmi.Labels)
		}
	}
}
