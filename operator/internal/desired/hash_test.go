package desired_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/desired"
)

func TestHash(t *testing.T) {
	s := scenario{machine: machine("m", nil), options: options(), vmPrefix: "vm-"}
	all, err := s.make()
	if err != nil {
		t.Fatal(err)
	}
	vm := all.VirtualMachine.(*kubevirtv1.VirtualMachine)
	want, err := desired.Hash(vm)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		change func(*kubevirtv1.VirtualMachine)
		same   bool
	}{
		"Server": {
			reason: "what the API server writes is no wish", same: true,
			change: func(vm *kubevirtv1.VirtualMachine) {
				vm.UID, vm.ResourceVersion, vm.Generation, vm.CreationTimestamp = "u", "1", 2, metav1.Unix(1, 0)
				vm.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "m"}}
				vm.Status.PrintableStatus = kubevirtv1.VirtualMachineStatusRunning
			},
		},
		"Own": {
			reason: "the hash is kept on the object itself", same: true,
			change: func(vm *kubevirtv1.VirtualMachine) { vm.Annotations[vitistackv1alpha1.AnnotationAppliedHash] = want },
		},
		"OnlyOwn": {
			reason: "an object with no other annotation is no other object", same: false,
			change: func(vm *kubevirtv1.VirtualMachine) { vm.Annotations = nil },
		},
		"Label": {reason: "a label is a wish", change: func(vm *kubevirtv1.VirtualMachine) { vm.Labels["a"] = "b" }},
		"Deep": {
			reason: "so is the last of the leaves",
			change: func(vm *kubevirtv1.VirtualMachine) { vm.Spec.Template.Spec.Domain.CPU.Threads = 2 },
		},
		"Order": {
			reason: "the order of disks is what the guest sees",
			change: func(vm *kubevirtv1.VirtualMachine) {
				vm.Spec.Template.Spec.Volumes = append([]kubevirtv1.Volume{{Name: "first"}}, vm.Spec.Template.Spec.Volumes...)
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			changed := vm.DeepCopy()
			tc.change(changed)
			got, err := desired.Hash(changed)
			if err != nil {
				t.Fatal(err)
			}
			if (got == want) != tc.same {
				t.Errorf("\n%s\nHash(...): want same %t, got %q of %q", tc.reason, tc.same, got, want)
			}
		})
	}
	if _, err := desired.Hash(make(chan int)); err == nil {
		t.Error("Hash(chan): want an error")
	}
	if _, err := desired.Hash([]int{1}); err == nil {
		t.Error("Hash(list): want an error, lists are no objects")
	}
}

// TestHashNumbers: as floating point these would be equal.
func TestHashNumbers(t *testing.T) {
	one, err := desired.Hash(map[string]int64{"a": 1<<53 + 1})
	if err != nil {
		t.Fatal(err)
	}
	other, err := desired.Hash(map[string]int64{"a": 1 << 53})
	if err != nil {
		t.Fatal(err)
	}
	if one == other {
		t.Errorf("two numbers, one hash %q", one)
	}
}
