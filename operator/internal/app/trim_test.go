package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// unpacked is what a reader of a cache with this transform gets.
func unpacked[T client.Object](t *testing.T, transform toolscache.TransformFunc, object T) T {
	t.Helper()
	held, err := transform(object)
	must(t, err)
	packed, isPacked := held.(clusters.Packed)
	if !isPacked {
		t.Fatalf("the cache would hold a %T", held)
	}
	return packed.Unpack().(T)
}

// TestTrimmingIsNotSeen: a Machine's status is the same with a trimmed VirtualMachine and instance
// as with whole ones.
func TestTrimmingIsNotSeen(t *testing.T) {
	vm := goldenVM(t, "interfaces.yaml")
	instance := instanceOf(vm, 1)
	instance.Spec.Hostname, instance.Spec.Architecture = "web", "amd64"
	vm.Annotations = map[string]string{
		"kubectl.kubernetes.io/last-applied-configuration": "{}", vitistackv1alpha1.AnnotationPlacementNonce: "k7m2x9",
	}
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
		in.VM = unpacked(t, trim.VirtualMachine, in.VM)
		in.VMI = unpacked(t, trim.Instance, in.VMI)
		if diff := cmp.Diff(want, observed.Status(in)); diff != "" {
			t.Errorf("status: -whole +trimmed:\n%s", diff)
		}
	}
	delete(vm.Annotations, "kubectl.kubernetes.io/last-applied-configuration")
	for what, diff := range map[string]string{
		"VirtualMachine's labels":      cmp.Diff(vm.Labels, in.VM.Labels),
		"VirtualMachine's annotations": cmp.Diff(vm.Annotations, in.VM.Annotations),
		"instance's labels":            cmp.Diff(instance.Labels, in.VMI.Labels),
		"sighting":                     cmp.Diff(survey.Sighting(vm), survey.Sighting(in.VM)),
		"disks":                        cmp.Diff(provision.DiskNames(vm), provision.DiskNames(in.VM)),
		"interfaces":                   cmp.Diff(provision.InUse(vm, instance), provision.InUse(in.VM, in.VMI)),
	} {
		if diff != "" {
			t.Errorf("%s: -whole +trimmed:\n%s", what, diff)
		}
	}
	if in.VMI.Spec.Domain.Firmware != nil {
		t.Errorf("nobody reads all of an instance: %+v", in.VMI.Spec)
	}
}

// TestTrimmingIsNotSeenWithoutInstance: what a stopped virtual machine has is read from its
// VirtualMachine.
func TestTrimmingIsNotSeenWithoutInstance(t *testing.T) {
	vm := goldenVM(t, "interfaces.yaml")
	vm.Status.PrintableStatus = kubevirtv1.VirtualMachineStatusStopped
	vm.Status.Conditions = []kubevirtv1.VirtualMachineCondition{
		{Type: kubevirtv1.VirtualMachineRestartRequired, Status: corev1.ConditionTrue},
		{Type: kubevirtv1.VirtualMachineFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "no quota"},
		{Type: kubevirtv1.VirtualMachineReady, Status: corev1.ConditionFalse, Reason: "GuestNotRunning"},
	}
	in := observed.Input{Machine: &vitistackv1alpha1.Machine{}, Now: time.Unix(1000, 0), Looked: true, VM: vm}
	want := observed.Status(in)
	if len(want.Disks) == 0 || want.CPUs == 0 || want.Memory == 0 || len(want.NetworkInterfaces) == 0 {
		t.Fatalf("the whole one gives no status: the test compares nothing: %+v", want)
	}
	in.VM = unpacked(t, new(observed.Trimmer).VirtualMachine, vm.DeepCopy())
	if diff := cmp.Diff(want, observed.Status(in)); diff != "" {
		t.Errorf("status: -whole +trimmed:\n%s", diff)
	}
}

// TestPatchOfTrimmedRemovesNothing: the wish is written on a VirtualMachine that the cache shows.
func TestPatchOfTrimmedRemovesNothing(t *testing.T) {
	before := unpacked(t, new(observed.Trimmer).VirtualMachine, goldenVM(t, "interfaces.yaml"))
	after := before.DeepCopy()
	after.Annotations[vitistackv1alpha1.AnnotationAppliedWish] = "{}"
	patch, err := client.MergeFrom(before).Data(after)
	must(t, err)
	if diff := cmp.Diff(`{"metadata":{"annotations":{"`+vitistackv1alpha1.AnnotationAppliedWish+`":"{}"}}}`,
		string(patch)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
