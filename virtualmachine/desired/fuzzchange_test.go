package desired_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// spoken is a Machine as a JSON document.
func spoken(f *testing.F, change func(*vitistackv1alpha1.MachineSpec)) []byte {
	f.Helper()
	return encoded(f, sized(change))
}

// made is the VirtualMachine and the wish of a Machine, nil where it is refused.
func madeOf(t *testing.T, m *vitistackv1alpha1.Machine, last *desired.Wish, record vitistackv1alpha1.NetworkRecord) (
	*kubevirtv1.VirtualMachine, desired.Wish,
) {
	t.Helper()
	in := desired.Input{
		Machine: m, Last: last, Network: record, Options: options(),
		Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: "vm-m", Nonce: nonce},
	}
	vm, err := desired.VirtualMachine(in)
	if err != nil {
		checkError(t, err)
		return nil, desired.Wish{}
	}
	wish, err := desired.NewWish(in, last)
	if err != nil {
		checkError(t, err)
		return nil, desired.Wish{}
	}
	return vm, wish
}

// strange are fields that this program does not know, in all places at which a patch writes.
func strange(live map[string]any) {
	for _, path := range [][]string{
		{"metadata"}, {"spec"}, {"spec", "template", "spec"}, {"spec", "template", "spec", "domain"},
		{"spec", "template", "spec", "domain", "cpu"}, {"spec", "template", "spec", "domain", "devices"},
	} {
		object := live
		for _, key := range path {
			below, _ := object[key].(map[string]any)
			if object = below; below == nil {
				break
			}
		}
		if object != nil {
			object["strange"] = map[string]any{"of": "a later release"}
		}
	}
}

// stranger counts the strange fields of an object.
func stranger(object any) (count int) {
	switch object := object.(type) {
	case map[string]any:
		for key, value := range object {
			if key == "strange" {
				count++
			}
			count += stranger(value)
		}
	case []any:
		for _, each := range object {
			count += stranger(each)
		}
	}
	return count
}

// FuzzChange changes a Machine into any other one: the patches touch no field that this program does
// not know, whatever stands there, and once they are applied nothing is left to do.
func FuzzChange(f *testing.F) {
	plain := spoken(f, func(*vitistackv1alpha1.MachineSpec) {})
	for _, s := range scenarios() {
		f.Add(plain, encoded(f, s.machine))
		f.Add(encoded(f, s.machine), plain)
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		old, next := &vitistackv1alpha1.Machine{}, &vitistackv1alpha1.Machine{}
		if json.Unmarshal(before, old) != nil || json.Unmarshal(after, next) != nil {
			return // an API server hands out only what is of its type
		}
		placed(old)
		placed(next)
		record, err := desired.Attach(desired.AttachInput{Machine: old, Options: options()})
		if err != nil {
			checkError(t, err)
			return
		}
		vm, last := madeOf(t, old, nil, record)
		if vm == nil {
			return
		}
		changed, err := desired.Attach(desired.AttachInput{Machine: next, Recorded: &record, Options: options()})
		if err != nil {
			checkError(t, err)
			changed = record
		}
		checkRecorded(t, changed)
		wanted, now := madeOf(t, next, &last, changed)
		if wanted == nil {
			return
		}
		live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(vm)
		if err != nil {
			t.Fatal(err)
		}
		strange(live)
		checkParts(t, desired.Change{Live: live, Wanted: wanted, Now: now, Last: last})
	})
}

func checkParts(t *testing.T, change desired.Change) {
	t.Helper()
	live := runtime.DeepCopyJSON(change.Live)
	parts, err := change.Parts()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(live, change.Live) {
		t.Error("the VirtualMachine was changed")
	}
	for _, part := range parts {
		mergePatch(live, runtime.DeepCopyJSON(part.Patch))
	}
	lost := stranger(change.Live) - stranger(live)
	if typed := change.Now.Instancetype != change.Last.Instancetype; lost > 0 && !typed { // it takes the size away
		t.Errorf("%d fields that are not ours were taken away", lost)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live, &kubevirtv1.VirtualMachine{}); err != nil {
		t.Errorf("KubeVirt cannot read it any more: %v", err)
	}
	applied := change.Last
	if len(parts) > 0 {
		applied = desired.Join(parts).Applied
	}
	if applied.String() != change.Now.String() {
		t.Errorf("the parts together are %s and not %s", applied, change.Now)
	}
	rest, err := desired.Change{Live: live, Wanted: change.Wanted, Now: change.Now, Last: applied}.Parts()
	if err != nil || len(rest) > 0 {
		t.Errorf("%d parts are left: %v", len(rest), err)
	}
}

// FuzzWish reads what stands on a VirtualMachine as the last wish. People can write there: what is
// read is written as the same, and no wish of it makes a VirtualMachine that is not whole.
func FuzzWish(f *testing.F) {
	for _, s := range scenarios() {
		m := s.machine
		m.Annotations = nil
		if wish, err := desired.NewWish(desired.Input{Machine: m, Class: s.class, Options: options()}, nil); err == nil {
			f.Add(wish.String(), encoded(f, m))
		}
	}
	f.Add("", spoken(f, func(*vitistackv1alpha1.MachineSpec) {}))
	f.Add(`{"Cores":4294967295,"Memory":-1,"Disks":{"":-1}}`, spoken(f, func(*vitistackv1alpha1.MachineSpec) {}))
	f.Fuzz(func(t *testing.T, text string, machine []byte) {
		wish, err := desired.ParseWish(text)
		if err != nil {
			return
		}
		again, err := desired.ParseWish(wish.String())
		if err != nil || again.String() != wish.String() {
			t.Errorf("%s is read as %s: %v", wish, again, err)
		}
		m := &vitistackv1alpha1.Machine{}
		if json.Unmarshal(machine, m) != nil {
			return
		}
		placed(m)
		record, err := desired.Attach(desired.AttachInput{Machine: m, Options: options()})
		if err != nil {
			checkError(t, err)
			return
		}
		vm, now := madeOf(t, m, &wish, record)
		if vm == nil {
			return
		}
		live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(vm)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := now.Grown(wish); err != nil {
			checkError(t, err)
		}
		checkParts(t, desired.Change{Live: live, Wanted: vm, Now: now, Last: wish})
	})
}

// FuzzAttach takes over the networks of a VirtualMachine that others made, whatever it is: what is
// decided can be written down and is read as the same, and what is recorded stays as it is.
func FuzzAttach(f *testing.F) {
	for _, s := range scenarios() {
		s.options.SupervisorUID = supervisorUID
		if s.vmPrefix == "" {
			s.vmPrefix = desired.DefaultVMNamePrefix
		}
		all, err := s.make()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded(f, s.machine), encoded(f, all.VirtualMachine), encoded(f, s.networks))
	}
	f.Fuzz(func(t *testing.T, machine, vm, networks []byte) {
		in := desired.AttachInput{Machine: &vitistackv1alpha1.Machine{}, VM: &kubevirtv1.VirtualMachine{}, Options: options()}
		if json.Unmarshal(machine, in.Machine) != nil || json.Unmarshal(vm, in.VM) != nil ||
			json.Unmarshal(networks, &in.NetworkNamespaces) != nil || !isStored(in.NetworkNamespaces) {
			return // an API server hands out only what is of its type
		}
		placed(in.Machine)
		record, err := desired.Attach(in)
		if err != nil {
			checkError(t, err)
			return
		}
		checkRecorded(t, record)
		in.Recorded, in.NetworkNamespaces = &record, nil
		again, err := desired.Attach(in)
		if err != nil || again.String() != record.String() {
			t.Errorf("%s is decided again as %s: %v", record, again, err)
		}
	})
}
