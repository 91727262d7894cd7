package observed_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// asked is a value as a seed.
func asked(f *testing.F, value any) []byte {
	f.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		f.Fatal(err)
	}
	return text
}

// maxStatus is the most bytes of JSON that a status may have, whatever others say.
const maxStatus = 64 << 10

// FuzzStatus tells what a remote cluster, a guest, CDI and the operator of addresses say: whatever
// it is, the status is small, can be shown in a terminal, and is no news when it is told again. What
// the cache keeps of it says the same.
func FuzzStatus(f *testing.F) {
	failed := cdiv1beta1.DataVolume{Status: cdiv1beta1.DataVolumeStatus{Phase: cdiv1beta1.Failed}}
	given := []vitistackv1alpha1.NetworkConfiguration{{Status: vitistackv1alpha1.NetworkConfigurationStatus{
		NetworkInterfaces: []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10", IPv4Addresses: []string{"10.0.1.21"}}},
	}}}
	for _, state := range states {
		for _, phase := range []kubevirtv1.VirtualMachineInstancePhase{"", "Running", "Failed", "Unknown"} {
			f.Add(asked(f, virtualMachine(state)), asked(f, instance(phase)), asked(f, []any{failed}), asked(f, given), "", uint8(3))
		}
	}
	f.Add(asked(f, virtualMachine("Running", machineCondition("Failure", "FailedCreate", "\x1b[2J"))),
		asked(f, instance("Running", instanceCondition("Paused", "PausedByUser", "é"))), []byte("[]"), []byte("[]"), "a\x00b", uint8(7))
	f.Fuzz(func(t *testing.T, vm, vmi, volumes, configurations []byte, message string, flags uint8) {
		in := input()
		for _, document := range []struct {
			text []byte
			into any
		}{{vm, &in.VM}, {vmi, &in.VMI}, {volumes, &in.DataVolumes}, {configurations, &in.Network.Configurations}} {
			if json.Unmarshal(document.text, document.into) != nil {
				return // an API server hands out only what is of its type
			}
		}
		in.Looked, in.Applied = flags&1 != 0, flags&2 != 0
		if flags&8 != 0 {
			in.Options.IPSource = observed.IPSourceNetworkConfiguration
		}
		if flags&16 != 0 {
			deleting(&in)
		}
		if flags&32 != 0 {
			in.Network.Static = []string{"vlan10"}
		}
		if message != "" {
			in.Copies = []string{message}
			in.Problems = []observed.Problem{{Reason: "OfAStrategy", Message: message}}
		}
		before := []any{in.VM.DeepCopy(), in.VMI.DeepCopy(), in.Machine.DeepCopy()}
		status := observed.Status(in)
		if !reflect.DeepEqual(before, []any{in.VM, in.VMI, in.Machine}) {
			t.Error("what was found was changed")
		}
		checkShown(t, status)
		checkStable(t, in, status)
		if kept := observed.Status(trimmedOf(t, in)); !reflect.DeepEqual(status, kept) {
			t.Errorf("what is cached says something else: %s instead of %s", stringOf(t, kept), stringOf(t, status))
		}
	})
}

// checkShown holds for each status: an object can hold it, and a terminal can show it (I16).
func checkShown(t *testing.T, status vitistackv1alpha1.MachineStatus) {
	t.Helper()
	raw := []byte(stringOf(t, status))
	if len(raw) > maxStatus {
		t.Errorf("the status has %d bytes", len(raw))
	}
	checkTexts(t, "what others say is bounded (I16)", raw)
}

// checkStable: the same again, through the API server and back, is no news once all of it was told.
func checkStable(t *testing.T, in observed.Input, status vitistackv1alpha1.MachineStatus) {
	t.Helper()
	for i := range 2 {
		in.Machine = in.Machine.DeepCopy()
		in.Machine.Status = vitistackv1alpha1.MachineStatus{}
		if err := json.Unmarshal([]byte(stringOf(t, status)), &in.Machine.Status); err != nil {
			t.Fatal(err)
		}
		in.Now = in.Now.Add(time.Duration(i+1) * time.Hour)
		next := observed.Status(in)
		if i > 0 && observed.Changed(in.Machine.Status, next) {
			t.Errorf("the same again is news: %s after %s", stringOf(t, next), stringOf(t, in.Machine.Status))
		}
		status = next
	}
}

func stringOf(t *testing.T, status vitistackv1alpha1.MachineStatus) string {
	t.Helper()
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// trimmedOf is the same as a cache with a Trimmer hands it out.
func trimmedOf(t *testing.T, in observed.Input) observed.Input {
	t.Helper()
	trim := new(observed.Trimmer)
	if in.VM != nil {
		held, err := trim.VirtualMachine(in.VM.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		in.VM = held.(runtime.Object).DeepCopyObject().(*kubevirtv1.VirtualMachine)
	}
	if in.VMI != nil {
		held, err := trim.Instance(in.VMI.DeepCopy())
		if err != nil {
			t.Fatal(err)
		}
		in.VMI = held.(runtime.Object).DeepCopyObject().(*kubevirtv1.VirtualMachineInstance)
	}
	return in
}
