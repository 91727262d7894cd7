package desired_test

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func ExampleVirtualMachine() {
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Name: "my-machine", Namespace: "team-a", UID: "1a2b3c4d-0000-4000-8000-00000000000a"},
		Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "medium"},
	}
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: machine,
		Ledger: vitistackv1alpha1.Ledger{Config: "cluster-east", Namespace: "team-a", VMName: "vm-my-machine",
			Nonce: "k7m2x9"},
		Options: desired.Options{SupervisorUID: "5d5d5d5d-0000-4000-8000-00000000000b"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(vm.Name, vm.Spec.Template.Spec.Domain.CPU.Cores, vm.Spec.Template.Spec.Domain.Memory.Guest,
		vm.Spec.DataVolumeTemplates[0].Name)

	machine.Spec.InstanceType = "huge"
	_, err = desired.SizeFor(machine, nil, desired.Options{})
	if refusal, ok := errors.AsType[*desired.Refusal](err); ok {
		fmt.Println(refusal.Reason)
	}
	// Output:
	// vm-my-machine 2 2Gi vm-my-machine-root-1a2b3c4d
	// UnknownClass
}
