package compatibility

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

const vmis = "virtualmachineinstances.kubevirt.io"

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// unlike makes every text another one: a field that stands in for another says something else.
var unlike int

// fill sets every field of a value, so that one that is looked at makes a difference when it goes.
func fill(v reflect.Value, depth int) {
	switch known := v.Addr().Interface().(type) {
	case *resource.Quantity:
		*known = resource.MustParse("3Gi")
		return
	case *metav1.Time:
		known.Time = noon.Add(-time.Hour)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		if depth < 12 && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth+1)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, depth+1)
		fill(value, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		unlike++
		v.SetString(fmt.Sprintf("text%d", unlike))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(3)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(3)
	}
}

// worlds are virtual machines and instances that report everything there is, in the states that say
// different things.
func worlds() []observed.Input {
	const running, stopped, failing = kubevirtv1.VirtualMachineStatusRunning, kubevirtv1.VirtualMachineStatusStopped,
		kubevirtv1.VirtualMachineStatusCrashLoopBackOff
	return []observed.Input{
		world(kubevirtv1.Running, "Ready", corev1.ConditionTrue, running),
		world(kubevirtv1.Running, "RestartRequired", corev1.ConditionTrue, running),
		world(kubevirtv1.Running, "Paused", corev1.ConditionTrue, running),
		world(kubevirtv1.Scheduling, "PodScheduled", corev1.ConditionFalse, kubevirtv1.VirtualMachineStatusUnschedulable),
		world(kubevirtv1.Scheduling, "Synchronized", corev1.ConditionFalse, kubevirtv1.VirtualMachineStatusStarting),
		world(kubevirtv1.Failed, "Failure", corev1.ConditionTrue, failing),
		world(kubevirtv1.Succeeded, "Failure", corev1.ConditionTrue, stopped),
	}
}

func world(
	phase kubevirtv1.VirtualMachineInstancePhase, condition string, status corev1.ConditionStatus,
	state kubevirtv1.VirtualMachinePrintableStatus,
) observed.Input {
	vm, vmi := &kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}
	fill(reflect.ValueOf(&vm.Status).Elem(), 0)
	fill(reflect.ValueOf(&vmi.Status).Elem(), 0)
	vm.Status.PrintableStatus = state
	vm.Status.Conditions[0].Type, vm.Status.Conditions[0].Status = kubevirtv1.VirtualMachineConditionType(condition),
		status
	vmi.Status.Phase = phase
	vmi.Status.Conditions[0].Type, vmi.Status.Conditions[0].Status = kubevirtv1.VirtualMachineInstanceConditionType(
		condition), status
	vmi.Status.Conditions[0].Reason = corev1.PodReasonUnschedulable
	vmi.Status.PhaseTransitionTimestamps[0].Phase = kubevirtv1.Running
	nic, volume := &vmi.Status.Interfaces[0], &vmi.Status.VolumeStatus[0]
	nic.Name, nic.MAC, nic.IP, nic.IPs, nic.InfoSource = "vlan10", "02:00:00:00:00:01", "10.0.0.1", []string{"10.0.0.2"},
		"domain"
	if condition == "Paused" {
		nic.IPs, vmi.Status.GuestOSInfo.VersionID = nil, "" // what stands in for them
	}
	volume.Name = "root"
	vmi.Spec = kubevirtv1.VirtualMachineInstanceSpec{
		Domain: kubevirtv1.DomainSpec{Devices: kubevirtv1.Devices{Disks: []kubevirtv1.Disk{{Name: "root"}},
			Interfaces: []kubevirtv1.Interface{{Name: "vlan10"}}}},
		Volumes: []kubevirtv1.Volume{{Name: "root",
			VolumeSource: kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: "d"}}}},
	}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: vmi.Spec}
	return observed.Input{
		Machine: &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Name: "m", Namespace: "team-a", Generation: 1}},
		Ledger:  &vitistackv1alpha1.Ledger{Config: "east", ClusterUID: "u", Namespace: "team-a", VMName: "vm-m", Nonce: "n"},
		Reached: observed.StepObserve, Looked: true, VM: vm, VMI: vmi, Now: noon,
	}
}

// TestReadsAreReal derives what is read: in each world every field of the two statuses goes in
// turn, and where that changes the Machine's status, the field is read. usage.yaml has to tell all
// of those.
func TestReadsAreReal(t *testing.T) {
	read := map[string]map[string]bool{vms: {}, vmis: {}}
	for _, in := range worlds() {
		want := observed.Status(in)
		perturb(t, &in.VM.Status, read[vms], want, func() vitistackv1alpha1.MachineStatus { return observed.Status(in) })
		perturb(t, &in.VMI.Status, read[vmis], want, func() vitistackv1alpha1.MachineStatus { return observed.Status(in) })
	}
	for name, paths := range read {
		told := kind(t, name).Reads
		derived := slices.Sorted(maps.Keys(paths))
		if len(derived) < 3 {
			t.Fatalf("only %v of %s is read: the worlds are too poor", derived, name)
		}
		if diff := cmp.Diff(derived, slices.DeleteFunc(slices.Clone(told), func(path string) bool {
			return elsewhere[name+" "+path] != ""
		})); diff != "" {
			t.Errorf("reads of %s in usage.yaml: -read +told:\n%s", name, diff)
		}
	}
}

// elsewhere are fields that package observed does not read, and who does.
var elsewhere = map[string]string{
	vms + " status.restoreInProgress":   "package machine leaves a virtual machine alone that is being restored",
	vms + " status.stateChangeRequests": "package guest asks for no restart where one is under way",
	vms + " status.snapshotInProgress":  "package machine leaves a virtual machine alone of which a snapshot is taken",
}

// perturb takes each field out of a status, one by one, and notes those whose absence makes a
// difference.
func perturb[S any](
	t *testing.T, status *S, read map[string]bool, want vitistackv1alpha1.MachineStatus,
	observe func() vitistackv1alpha1.MachineStatus,
) {
	t.Helper()
	whole := *status
	defer func() { *status = whole }()
	encoded, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(encoded, &object); err != nil {
		t.Fatal(err)
	}
	for _, path := range crdcheck.PathsOf(map[string]any{"status": object}) {
		if read[path] {
			continue
		}
		var changed map[string]any
		_ = json.Unmarshal(encoded, &changed) // it was decoded above
		drop(changed, path[len("status."):])
		rest, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		var next S
		if err := json.Unmarshal(rest, &next); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", path, err))
		}
		*status = next
		if got := observe(); !apiequality.Semantic.DeepEqual(want, got) {
			read[path] = true
		}
	}
}

// drop removes the field at a path from an object, in each item of a list. All paths of the two
// statuses are of plain names.
func drop(value any, path string) {
	name, rest := path, ""
	for i := range path {
		if path[i] == '.' || path[i] == '[' {
			name, rest = path[:i], path[i:]
			break
		}
	}
	object, isObject := value.(map[string]any)
	switch {
	case !isObject:
	case rest == "":
		delete(object, name)
	case rest == "[]":
		delete(object, name)
	case rest[0] == '.':
		drop(object[name], rest[1:])
	default: // "[]." and more
		items, _ := object[name].([]any)
		for _, item := range items {
			drop(item, rest[len("[]."):])
		}
	}
}
