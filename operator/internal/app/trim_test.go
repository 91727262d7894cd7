package app

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// TestTrimmingIsNotSeen: a Machine's status is the same with a trimmed VirtualMachine and instance
// as with whole ones.
func TestTrimmingIsNotSeen(t *testing.T) {
	content, err := os.ReadFile("../../../virtualmachine/desired/testdata/interfaces.yaml")
	must(t, err)
	var golden struct {
		VirtualMachine kubevirtv1.VirtualMachine `json:"virtualMachine"`
	}
	must(t, yaml.Unmarshal(content, &golden))
	vm := &golden.VirtualMachine
	instance := instanceOf(vm, 1)
	instance.Spec.Hostname, instance.Spec.Architecture = "web", "amd64"
	vm.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"}
	in := observed.Input{
		Machine: &vitistackv1alpha1.Machine{}, Now: time.Unix(1000, 0), Looked: true,
		VM: vm.DeepCopy(), VMI: instance.DeepCopy(),
	}
	want := observed.Status(in)
	if want.NodeName == "" || len(want.Disks) == 0 || len(want.NetworkInterfaces) == 0 {
		t.Fatalf("the whole ones give no status: the test compares nothing: %+v", want)
	}

	var trim observed.Trimmer
	for range 2 {
		if _, err := trim.VirtualMachine(in.VM); err != nil {
			t.Fatal(err)
		}
		if _, err := trim.Instance(in.VMI); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, observed.Status(in)); diff != "" {
			t.Errorf("status: -whole +trimmed:\n%s", diff)
		}
	}
	delete(vm.Annotations, "kubectl.kubernetes.io/last-applied-configuration")
	if diff := cmp.Diff(vm, in.VM); diff != "" {
		t.Errorf("a VirtualMachine must stay whole, drift is judged on it: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(instance.Labels, in.VMI.Labels); diff != "" || in.VMI.Spec.Domain.Firmware != nil {
		t.Errorf("instance: %+v, labels: -want +got:\n%s", in.VMI.Spec, diff)
	}
}
