package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func existing(change func(*vitistackv1alpha1.NetworkConfiguration)) *vitistackv1alpha1.NetworkConfiguration {
	nc := &vitistackv1alpha1.NetworkConfiguration{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team-a", Name: "m", ResourceVersion: "7", Finalizers: []string{"vitistack.io/static-ip-finalizer"},
			Labels: map[string]string{"theirs": "kept", vitistackv1alpha1.LegacyLabelSourceMachine: "m"},
		},
		Spec: vitistackv1alpha1.NetworkConfigurationSpec{Name: "old-name", Provider: "kea", Description: "by hand"},
	}
	if change != nil {
		change(nc)
	}
	return nc
}

func interfacesOf(nc *vitistackv1alpha1.NetworkConfiguration) []desired.Interface {
	var result []desired.Interface
	for _, i := range nc.Spec.NetworkInterfaces {
		result = append(result, desired.Interface{Name: i.Name, MAC: i.MacAddress})
	}
	return result
}

func TestNetworkConfigurationInterfaces(t *testing.T) {
	nic := func(name, mac string) vitistackv1alpha1.NetworkConfigurationInterface {
		return vitistackv1alpha1.NetworkConfigurationInterface{Name: name, MacAddress: mac}
	}
	const derived = "02:13:50:7e:d1:e1"
	cases := map[string]struct {
		reason   string
		existing []vitistackv1alpha1.NetworkConfigurationInterface
		live     []desired.Interface
		want     []desired.Interface
	}{
		"New": {reason: "an address out of the Machine's UID", want: []desired.Interface{{Name: "vlan10", MAC: derived}}},
		"Kept": {
			reason: "an address once given is kept, to the letter's case: a lease hangs on it (T13)", existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan10", "02:AA:00:00:00:01")},
			want: []desired.Interface{{Name: "vlan10", MAC: "02:AA:00:00:00:01"}},
		},
		"NoAddress": {
			reason: "zeros are none (T7)", existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan10", "00:00:00:00:00:00")},
			want: []desired.Interface{{Name: "vlan10", MAC: derived}},
		},
		"Adopted": {
			reason:   "of an adopted virtual machine its own address counts: it cannot be told another one while it runs",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan10", "02:aa:00:00:00:01")},
			live:     []desired.Interface{{Name: "vlan10", MAC: "02:bb:00:00:00:01"}},
			want:     []desired.Interface{{Name: "vlan10", MAC: "02:bb:00:00:00:01"}},
		},
		"Stray": {
			reason:   "an interface that neither the network nor the virtual machine has holds an address for nobody (D28)",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan0", "02:aa:00:00:00:01"), nic("vlan10", "02:aa:00:00:00:02")},
			want:     []desired.Interface{{Name: "vlan10", MAC: "02:aa:00:00:00:02"}},
		},
		"InUse": {
			reason:   "one that the virtual machine still has keeps its address",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan9", "02:aa:00:00:00:01")},
			live:     []desired.Interface{{Name: "vlan9", MAC: "02:aa:00:00:00:01"}},
			want:     []desired.Interface{{Name: "vlan10", MAC: derived}, {Name: "vlan9", MAC: "02:aa:00:00:00:01"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := desired.NetworkConfigurationInput{
				Machine: machine("m", nil), Attachments: []desired.Attachment{{Name: "vlan10", Network: desired.Network{NetworkNamespace: "team-a", VLAN: 10}}}, Live: tc.live, Options: options(),
			}
			if tc.existing != nil {
				in.Existing = existing(func(nc *vitistackv1alpha1.NetworkConfiguration) { nc.Spec.NetworkInterfaces = tc.existing })
			}
			nc, err := desired.NetworkConfiguration(in)
			if err != nil {
				t.Fatalf("\n%s\nNetworkConfiguration(...): %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, interfacesOf(nc)); diff != "" {
				t.Errorf("\n%s\nNetworkConfiguration(...): -want +got:\n%s", tc.reason, diff)
			}
			in.Existing = nc
			again, err := desired.NetworkConfiguration(in)
			if err != nil {
				t.Fatalf("\n%s\nNetworkConfiguration(again): %v", tc.reason, err)
			}
			if diff := cmp.Diff(nc, again); diff != "" {
				t.Errorf("\nwhat is as wanted is not written again (T13)\nNetworkConfiguration(again): -want +got:\n%s", diff)
			}
		})
	}
}

// TestNetworkConfigurationKeeps: what others wrote into an existing one stays.
func TestNetworkConfigurationKeeps(t *testing.T) {
	old := existing(func(nc *vitistackv1alpha1.NetworkConfiguration) {
		nc.OwnerReferences = []metav1.OwnerReference{{Kind: "Other", UID: "x"}, {Kind: "Machine", Name: "m", UID: machineUID, Controller: ptr.To(true)}}
		nc.Status.Phase = "Ready"
	})
	nc, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{
		Machine: machine("m", nil), Existing: old, Attachments: []desired.Attachment{{Name: "default"}}, Options: options(),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := old.DeepCopy()
	want.TypeMeta = metav1.TypeMeta{APIVersion: "vitistack.io/v1alpha1", Kind: "NetworkConfiguration"}
	for key, value := range desired.Labels(machine("m", nil), options()) {
		want.Labels[key] = value
	}
	want.OwnerReferences[1].APIVersion = "vitistack.io/v1alpha1"
	want.Spec.NetworkInterfaces = []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "default", MacAddress: "02:41:d6:dc:55:63"}}
	if diff := cmp.Diff(want, nc); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNetworkConfigurationOwned(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.NetworkConfiguration)
		want   string
	}{
		"OldLabel": {reason: "earlier releases marked theirs by the Machine's name (D7)"},
		"Labels": {
			reason: "ours by both UIDs", change: func(nc *vitistackv1alpha1.NetworkConfiguration) {
				nc.Labels = desired.Labels(machine("m", nil), options())
			},
		},
		"NoMark": {
			reason: "a person may have made it, for addresses that they meant for something else",
			change: func(nc *vitistackv1alpha1.NetworkConfiguration) { nc.Labels = nil }, want: "refusal/NetworkConfigurationConflict",
		},
		"OtherController": {
			reason: "it goes with its controller, and its addresses with it",
			change: func(nc *vitistackv1alpha1.NetworkConfiguration) {
				nc.OwnerReferences = []metav1.OwnerReference{{Kind: "Machine", Name: "m", UID: "earlier", Controller: ptr.To(true)}}
			},
			want: "refusal/NetworkConfigurationConflict",
		},
		"OtherMachine": {
			reason: "that of an earlier Machine of this name is on its way out",
			change: func(nc *vitistackv1alpha1.NetworkConfiguration) {
				nc.Labels[vitistackv1alpha1.LabelMachineUID] = "earlier"
			},
			want: "refusal/NetworkConfigurationConflict",
		},
		"OtherName": {
			reason: "marked for another Machine",
			change: func(nc *vitistackv1alpha1.NetworkConfiguration) {
				nc.Labels[vitistackv1alpha1.LegacyLabelSourceMachine] = "other"
			},
			want: "refusal/NetworkConfigurationConflict",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{Machine: machine("m", nil), Existing: existing(tc.change), Options: options()})
			if diff := cmp.Diff(tc.want, reasonOf(err)); diff != "" {
				t.Errorf("\n%s\nNetworkConfiguration(...): -want error +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNetworkConfigurationInherited: with the virtual machine of an earlier Machine of this name come its addresses.
func TestNetworkConfigurationInherited(t *testing.T) {
	old := existing(func(nc *vitistackv1alpha1.NetworkConfiguration) {
		nc.Labels = desired.Labels(machine("m", func(m *vitistackv1alpha1.Machine) { m.UID = "earlier" }), options())
		nc.OwnerReferences = []metav1.OwnerReference{{Kind: "Machine", Name: "m", UID: "earlier", Controller: ptr.To(true)}}
	})
	for former, want := range map[types.UID]string{"earlier": "", "another": "refusal/NetworkConfigurationConflict", "": "refusal/NetworkConfigurationConflict"} {
		in := desired.NetworkConfigurationInput{Machine: machine("m", nil), Existing: old.DeepCopy(), Former: former, Options: options()}
		nc, err := desired.NetworkConfiguration(in)
		if diff := cmp.Diff(want, reasonOf(err)); diff != "" {
			t.Errorf("former %q: -want error +got:\n%s", former, diff)
		}
		if err == nil && (len(nc.OwnerReferences) != 1 || nc.OwnerReferences[0].UID != machineUID || !desired.IsOurs(nc.Labels, machineUID, supervisorUID)) {
			t.Errorf("it is not this Machine's alone: %+v", nc.ObjectMeta)
		}
	}
}

func TestInterfaces(t *testing.T) {
	vm := &kubevirtv1.VirtualMachine{}
	if got := desired.Interfaces(vm); got != nil {
		t.Errorf("a VirtualMachine without a template: want none, got %v", got)
	}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.Spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{{Name: "a", MacAddress: "02-AA-00-00-00-01"}, {Name: "b"}}
	if diff := cmp.Diff([]desired.Interface{{Name: "a", MAC: "02:aa:00:00:00:01"}}, desired.Interfaces(vm)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
