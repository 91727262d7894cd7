package desired_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"pgregory.net/rapid"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// changed is a Machine before and after a change, and its virtual machine in between.
type changed struct {
	before, after *vitistackv1alpha1.Machine
	networks      nns
	class         *vitistackv1alpha1.MachineClass
	live          func(vm map[string]any)
}

type failer interface {
	Helper()
	Fatal(args ...any)
}

func (c changed) parts(t failer) ([]desired.Part, map[string]any) {
	t.Helper()
	record, err := desired.Attach(desired.AttachInput{Machine: c.before, NetworkNamespaces: c.networks,
		Options: options()})
	if err != nil {
		t.Fatal(err)
	}
	in := desired.Input{
		Machine: c.before, Class: c.class, Network: record, Options: options(),
		Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: "vm-m", Nonce: nonce},
	}
	vm, err := desired.VirtualMachine(in)
	if err != nil {
		t.Fatal(err)
	}
	last, err := desired.NewWish(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	live, err := runtime.DefaultUnstructuredConverter.ToUnstructured(vm)
	if err != nil {
		t.Fatal(err)
	}
	if c.live != nil {
		c.live(live)
	}
	in.Machine, in.Last = c.after, &last
	if in.Network, err = desired.Attach(desired.AttachInput{
		Machine: c.after, Recorded: &record, NetworkNamespaces: c.networks, Options: options(),
	}); err != nil {
		t.Fatal(err)
	}
	now, err := desired.NewWish(in, &last)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := desired.VirtualMachine(in)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := desired.Change{Live: live, Wanted: wanted, Now: now, Last: last}.Parts()
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) > 0 {
		if diff := cmp.Diff(now.String(), desired.Join(parts).Applied.String()); diff != "" {
			t.Fatal("the parts together are not the wish: -want +got:\n" + diff)
		}
	}
	return parts, live
}

func at(object map[string]any, path ...string) map[string]any {
	for _, name := range path {
		object, _ = object[name].(map[string]any)
	}
	return object
}

func running(vm map[string]any) {
	delete(at(vm, "spec"), "runStrategy")
	at(vm, "spec")["running"] = true
}

func sized(change func(*vitistackv1alpha1.MachineSpec)) *vitistackv1alpha1.Machine {
	return machine("m", func(m *vitistackv1alpha1.Machine) { change(&m.Spec) })
}

func stopped(strategy vitistackv1alpha1.RunStrategy) *vitistackv1alpha1.Machine {
	return sized(func(s *vitistackv1alpha1.MachineSpec) { s.RunStrategy = strategy })
}

func TestParts(t *testing.T) {
	typed := machine("m", withAnnotation(vitistackv1alpha1.AnnotationInstancetype, "u1.small"))
	cases := map[string]struct {
		reason string
		change changed
		want   []string // subject and patch
	}{
		"Nothing": {
			reason: "a Machine that did not change patches nothing",
			change: changed{before: machine("m", nil), after: machine("m", nil)},
		},
		"Stop": {
			reason: "a run strategy is written alone",
			change: changed{before: machine("m", nil), after: stopped("Halted")},
			want:   []string{`run strategy {"spec":{"runStrategy":"Halted"}}`},
		},
		"StopRunning": {
			reason: "KubeVirt refuses runStrategy beside the older field running, which is set instead",
			change: changed{before: machine("m", nil), after: stopped("Halted"), live: running},
			want:   []string{`run strategy {"spec":{"running":false}}`},
		},
		"StartRunning": {
			reason: "the older field running starts it, too",
			change: changed{before: machine("m", nil), after: stopped("Always"), live: running},
			want:   []string{`run strategy {"spec":{"running":true}}`},
		},
		"ManualRunning": {
			reason: "a strategy that the older field cannot express takes it away",
			change: changed{before: machine("m", nil), after: stopped("Manual"), live: running},
			want:   []string{`run strategy {"spec":{"runStrategy":"Manual","running":null}}`},
		},
		"Memory": {
			reason: "more memory leaves sockets alone that were plugged in by hand",
			change: changed{
				before: machine("m", nil), after: sized(func(s *vitistackv1alpha1.MachineSpec) { s.Memory = 4 << 30 }),
				live: func(vm map[string]any) { at(vm, "spec", "template", "spec", "domain", "cpu")["sockets"] = int64(3) },
			},
			want: []string{`size {"spec":{"template":{"spec":{"domain":{"memory":{"guest":"4Gi"}}}}}}`},
		},
		"StopAndMemory": {
			reason: "the stop comes first, so that a size that is refused does not hold it up",
			change: changed{before: machine("m", nil), after: sized(func(s *vitistackv1alpha1.MachineSpec) {
				s.Memory, s.RunStrategy = 4<<30, "Halted"
			})},
			want: []string{
				`run strategy {"spec":{"runStrategy":"Halted"}}`,
				`size {"spec":{"template":{"spec":{"domain":{"memory":{"guest":"4Gi"}}}}}}`,
			},
		},
		"ToInstancetype": {
			reason: "an instance type takes processor and memory away as a whole: KubeVirt refuses an empty object",
			change: changed{before: machine("m", nil), after: typed},
			want: []string{`size {"spec":{"instancetype":{"kind":"VirtualMachineClusterInstancetype","name":"u1.small"},` +
				`"template":{"spec":{"domain":{"cpu":null,"memory":null}}}}}`},
		},
		"ToInstancetypeBesideOthers": {
			reason: "what a person set in the same objects stays",
			change: changed{before: machine("m", nil), after: typed, live: func(vm map[string]any) {
				at(vm, "spec", "template", "spec", "domain", "cpu")["isolateEmulatorThread"] = true
				at(vm, "spec", "template", "spec", "domain", "memory")["hugepages"] = map[string]any{"pageSize": "2Mi"}
			}},
			want: []string{`size {"spec":{"instancetype":{"kind":"VirtualMachineClusterInstancetype","name":"u1.small"},` +
				`"template":{"spec":{"domain":{"cpu":{"cores":null,"sockets":null,"threads":null},"memory":{"guest":null}}}}}}`},
		},
		"FromInstancetype": {
			reason: "back from an instance type all numbers are written",
			change: changed{before: typed, after: machine("m", nil)},
			want: []string{`size {"spec":{"instancetype":null,"template":{"spec":{"domain":{` +
				`"cpu":{"cores":2,"model":"host-model","sockets":1,"threads":1},"memory":{"guest":"2Gi"}}}}}}`},
		},
		"OtherInstancetype": {
			reason: "another instance type takes away the revision of the one before",
			change: changed{
				before: typed, after: machine("m", withAnnotation(vitistackv1alpha1.AnnotationInstancetype, "u1.large")),
				live: func(vm map[string]any) { at(vm, "spec", "instancetype")["revisionName"] = "u1.small-1" },
			},
			want: []string{
				`size {"spec":{"instancetype":{"kind":"VirtualMachineClusterInstancetype","name":"u1.large","revisionName":null}}}`,
			},
		},
		"InterfaceTaken": {
			reason: "an interface that the Machine no longer lists goes, and one that a person added stays",
			change: changed{
				before: onNetwork("lan", nics{{}, {Name: "eth1", Subnet: "storage"}}...), after: onNetwork("lan"),
				networks: nns{lan(30), storageAt(31)}, live: addInterface("hand"),
			},
			want: []string{`interfaces {"spec":{"template":{"spec":{"domain":{"devices":{"interfaces":[` +
				`{"bootOrder":2,"bridge":{},"macAddress":"02:58:ac:8b:fd:cb","model":"virtio","name":"vlan30"},{"name":"hand"}]}},` +
				`"networks":[{"multus":{"networkName":"vlan30"},"name":"vlan30"},{"name":"hand"}]}}}}`},
		},
		"BootOrderTaken": {
			reason: "an interface that takes the place of the first one does not boot where another device does already",
			change: changed{
				before: onNetwork("lan"), after: onNetwork("storage"), networks: nns{lan(30), storageAt(31)},
				live: func(vm map[string]any) {
					addInterface("hand")(vm)
					list, _ := at(vm, "spec", "template", "spec", "domain", "devices")["interfaces"].([]any)
					list[1].(map[string]any)["bootOrder"] = int64(2)
				},
			},
			want: []string{`interfaces {"spec":{"template":{"spec":{"domain":{"devices":{"interfaces":[{"bootOrder":2,"name":"hand"},` +
				`{"bridge":{},"macAddress":"02:ed:d8:f2:c0:cf","model":"virtio","name":"vlan31"}]}},` +
				`"networks":[{"name":"hand"},{"multus":{"networkName":"vlan31"},"name":"vlan31"}]}}}}`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			parts, _ := tc.change.parts(t)
			var got []string
			for _, part := range parts {
				text, err := json.Marshal(part.Patch)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, part.What+" "+string(text))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nParts(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func addInterface(name string) func(map[string]any) {
	return func(vm map[string]any) {
		spec := at(vm, "spec", "template", "spec")
		devices := at(spec, "domain", "devices")
		for _, list := range []struct {
			in  map[string]any
			key string
		}{{devices, "interfaces"}, {spec, "networks"}} {
			entries, _ := list.in[list.key].([]any)
			list.in[list.key] = append(entries, map[string]any{"name": name})
		}
	}
}

// mergePatch applies a JSON merge patch, RFC 7386.
func mergePatch(object, patch map[string]any) {
	for key, value := range patch {
		below, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(object, key)
		case isObject:
			if _, there := object[key].(map[string]any); !there {
				object[key] = map[string]any{}
			}
			mergePatch(at(object, key), below)
		default:
			object[key] = value
		}
	}
}

// anyChange draws a Machine before and after a change of anything that may be changed.
func anyChange(t *rapid.T) changed {
	draw := func(label string) *vitistackv1alpha1.Machine {
		m := machine("m", nil)
		m.Spec.MachineClass = rapid.SampledFrom([]string{"", "small", "large"}).Draw(t, label+" class")
		m.Spec.CPU.Cores = rapid.IntRange(0, 2).Draw(t, label+" cores")
		m.Spec.Memory = rapid.SampledFrom([]int64{0, 1 << 30, 3 << 30}).Draw(t, label+" memory")
		m.Spec.RunStrategy = rapid.SampledFrom([]vitistackv1alpha1.RunStrategy{"", "Always", "Halted", "Manual"}).Draw(t,
			label+" run")
		m.Annotations = map[string]string{}
		if m.Spec.CPU.Cores == 0 && m.Spec.Memory == 0 && rapid.Bool().Draw(t, label+" typed") {
			m.Annotations[vitistackv1alpha1.AnnotationInstancetype] = "u1.small"
		}
		if rapid.Bool().Draw(t, label+" eviction") {
			m.Annotations[vitistackv1alpha1.AnnotationEvictionStrategy] = "LiveMigrate"
		}
		for i := range rapid.IntRange(0, 2).Draw(t, label+" disks") {
			m.Spec.Disks = append(m.Spec.Disks, vitistackv1alpha1.MachineSpecDisk{Name: []string{"a", "b"}[i], SizeGB: 3})
		}
		m.Spec.Network.Interfaces = nics{{}, {Name: "eth1", Subnet: "storage"},
			{Name: "eth2", Subnet: "lan"}}[:rapid.IntRange(1, 3).Draw(t, label+" nics")]
		return m
	}
	c := changed{before: draw("before"), after: draw("after"), networks: nns{lan(30), storageAt(31)}}
	c.before.Spec.Network.NetworkNamespaceName, c.after.Spec.Network.NetworkNamespaceName = "lan", "lan"
	if rapid.Bool().Draw(t, "by hand") {
		c.live = addInterface("hand")
	}
	return c
}

// TestPartsProperties: parts in any prefix, joined or one by one, lead to the same object, which is
// one that KubeVirt can read, and what a person added is still there.
func TestPartsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyChange(t)
		parts, live := c.parts(t)
		oneByOne, joined := runtime.DeepCopyJSON(live), runtime.DeepCopyJSON(live)
		for _, part := range parts {
			mergePatch(oneByOne, runtime.DeepCopyJSON(part.Patch))
		}
		mergePatch(joined, runtime.DeepCopyJSON(desired.Join(parts).Patch))
		if diff := cmp.Diff(oneByOne, joined); diff != "" {
			t.Fatalf("joined parts do something else: %s", diff)
		}
		vm := &kubevirtv1.VirtualMachine{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(oneByOne, vm); err != nil {
			t.Fatal(err)
		}
		domain := at(oneByOne, "spec", "template", "spec", "domain")
		for _, name := range []string{"cpu", "memory"} {
			if object, there := domain[name].(map[string]any); there && len(object) == 0 {
				t.Errorf("%s is left empty", name)
			}
		}
		names := map[string]bool{}
		for _, nic := range vm.Spec.Template.Spec.Domain.Devices.Interfaces {
			names[nic.Name] = true
		}
		if len(names) != len(vm.Spec.Template.Spec.Networks) {
			t.Errorf("%d interfaces and %d networks", len(names), len(vm.Spec.Template.Spec.Networks))
		}
		if c.live != nil && !names["hand"] {
			t.Error("the interface that was added by hand is gone")
		}
		if len(parts) > 1 {
			last, first := parts[0].Applied, parts[1]
			if diff := cmp.Diff(first.Applied.String(), first.AppliedOn(last).String()); diff != "" {
				t.Errorf("AppliedOn(the wish of the part before): -want +got:\n%s", diff)
			}
		}
	})
}
