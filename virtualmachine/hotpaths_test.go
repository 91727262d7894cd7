// Package virtualmachine_test holds what the operator does for each event to a number of
// allocations.
package virtualmachine_test

import (
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// hotPaths are the functions that run for each event, and how often one call may allocate. Times
// are the machine's; allocations are ours.
var hotPaths = map[string]struct {
	reason string
	allocs float64
	begin  func(t testing.TB) func()
}{
	"desired.VirtualMachine": {
		reason: "a Machine that changed is built anew", allocs: 45, begin: beginDesired,
	},
	"observed.Status": {
		reason: "each event of a guest gives a status", allocs: 88, begin: beginStatus,
	},
	"Trimmer.VirtualMachine": {
		reason: "each event of a VirtualMachine passes it on its way into the cache", allocs: 66, begin: beginTrimVM,
	},
	"Trimmer.Instance": {
		reason: "each event of an instance passes it on its way into the cache", allocs: 70, begin: beginTrimInstance,
	},
}

// TestHotPaths fails when a path allocates more than it did. Who has a reason raises the bound.
func TestHotPaths(t *testing.T) {
	for name, path := range hotPaths {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, path.begin(t)); got > path.allocs {
				t.Errorf("%s: %v allocations, the bound is %v", path.reason, got, path.allocs)
			}
		})
	}
}

func BenchmarkHotPaths(b *testing.B) {
	for name, path := range hotPaths {
		b.Run(name, func(b *testing.B) {
			do := path.begin(b)
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}

func beginDesired(t testing.TB) func() {
	in := desired.Input{
		Machine: &vitistackv1alpha1.Machine{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "team", UID: "1a2b3c4d-0000-4000-8000-00000000000a"},
			Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "medium"},
		},
		Ledger:  ledger(),
		Options: desired.Options{SupervisorUID: "5d5d5d5d-0000-4000-8000-00000000000b"},
	}
	return func() {
		if _, err := desired.VirtualMachine(in); err != nil {
			t.Fatal(err)
		}
	}
}

func beginStatus(t testing.TB) func() {
	vm, ledger := golden(t), ledger()
	vm.Status.PrintableStatus = kubevirtv1.VirtualMachineStatusRunning
	in := observed.Input{
		Machine: &vitistackv1alpha1.Machine{}, Ledger: &ledger, Applied: true, Reached: observed.StepVM, Looked: true,
		VM: vm, VMI: instance(vm), Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if phase := observed.Status(in).Phase; phase != vitistackv1alpha1.MachinePhaseRunning {
		t.Fatalf("the Machine is %s", phase)
	}
	return func() { observed.Status(in) }
}

func beginTrimVM(t testing.TB) func() {
	trimmer, vm := &observed.Trimmer{}, golden(t)
	return func() {
		if _, err := trimmer.VirtualMachine(vm.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
}

func beginTrimInstance(t testing.TB) func() {
	trimmer, vmi := &observed.Trimmer{}, instance(golden(t))
	return func() {
		if _, err := trimmer.Instance(vmi.DeepCopy()); err != nil {
			t.Fatal(err)
		}
	}
}

func ledger() vitistackv1alpha1.Ledger {
	return vitistackv1alpha1.Ledger{
		Config: "cluster-east", ClusterUID: "c-east", Namespace: "team", VMName: "vm-web", Nonce: "k7m2x9",
	}
}

// golden is a VirtualMachine with three interfaces.
func golden(t testing.TB) *kubevirtv1.VirtualMachine {
	t.Helper()
	content, err := os.ReadFile("desired/testdata/interfaces.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		VirtualMachine kubevirtv1.VirtualMachine `json:"virtualMachine"`
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	return &file.VirtualMachine
}

// instance is the guest of a VirtualMachine, running.
func instance(vm *kubevirtv1.VirtualMachine) *kubevirtv1.VirtualMachineInstance {
	vmi := &kubevirtv1.VirtualMachineInstance{
		ObjectMeta: metav1.ObjectMeta{Namespace: vm.Namespace, Name: vm.Name, Labels: vm.Spec.Template.ObjectMeta.Labels},
		Spec:       vm.Spec.Template.Spec,
		Status:     kubevirtv1.VirtualMachineInstanceStatus{Phase: kubevirtv1.Running, NodeName: "node-1"},
	}
	for _, each := range vmi.Spec.Domain.Devices.Interfaces {
		vmi.Status.Interfaces = append(vmi.Status.Interfaces, kubevirtv1.VirtualMachineInstanceNetworkInterface{
			Name: each.Name, MAC: each.MacAddress, IP: "10.0.0.1", IPs: []string{"10.0.0.1", "fe80::1"}})
	}
	return vmi
}
