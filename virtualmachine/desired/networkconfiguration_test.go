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
	const mac = "02:aa:00:00:00:01"
	cases := map[string]struct {
		reason   string
		existing []vitistackv1alpha1.NetworkConfigurationInterface
		inUse    []desired.Interface
		want     []desired.Interface
	}{
		"New": {
			reason: "a new NetworkConfiguration has the recorded interface and address",
			want:   []desired.Interface{{Name: "vlan10", MAC: mac}},
		},
		"OtherCase": {
			reason:   "an address that differs in its letters' case alone is not written again, because a lease hangs on it",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan10", "02:AA:00:00:00:01")},
			want:     []desired.Interface{{Name: "vlan10", MAC: "02:AA:00:00:00:01"}},
		},
		"Order": {
			reason:   "the order of interfaces has no meaning, so it is left as an earlier release or a person wrote it",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan9", "02:aa:00:00:00:09"), nic("vlan10", mac)},
			inUse:    []desired.Interface{{Name: "vlan9", MAC: "02:aa:00:00:00:09"}},
			want:     []desired.Interface{{Name: "vlan9", MAC: "02:aa:00:00:00:09"}, {Name: "vlan10", MAC: mac}},
		},
		"Zeros": {
			reason:   "an address of zeros is none and is replaced by the recorded one",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan10", "00:00:00:00:00:00")},
			want:     []desired.Interface{{Name: "vlan10", MAC: mac}},
		},
		"Stray": {
			reason:   "an interface that neither the record nor the virtual machine has holds an address for nothing",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan0", "02:aa:00:00:00:09"), nic("vlan10", mac)},
			want:     []desired.Interface{{Name: "vlan10", MAC: mac}},
		},
		"InUse": {
			reason:   "an interface that the virtual machine still has keeps its address, although the record dropped it",
			existing: []vitistackv1alpha1.NetworkConfigurationInterface{nic("vlan9", "02:aa:00:00:00:09")},
			inUse:    []desired.Interface{{Name: "vlan9", MAC: "02:aa:00:00:00:09"}},
			want:     []desired.Interface{{Name: "vlan10", MAC: mac}, {Name: "vlan9", MAC: "02:aa:00:00:00:09"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := desired.NetworkConfigurationInput{
				Machine: machine("m", nil), Name: "m", InUse: tc.inUse, Options: options(),
				Record: vitistackv1alpha1.NetworkRecord{Attachments: []vitistackv1alpha1.Attachment{
					{Interface: "vlan10", NetworkNamespace: "team-a", VLAN: 10, MAC: mac, NetworkConfiguration: "m"},
					{Interface: "eth1", NetworkNamespace: "b", VLAN: 11, MAC: "02:aa:00:00:00:02", NetworkConfiguration: "m-b"},
				}},
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
				t.Errorf("\nwhat is as wanted is not written again\nNetworkConfiguration(again): -want +got:\n%s", diff)
			}
		})
	}
}

// TestNetworkConfigurationFinalizer holds the addresses, and adds nothing to an object that is
// being deleted.
func TestNetworkConfigurationFinalizer(t *testing.T) {
	for deleting, want := range map[bool][]string{
		false: {"vitistack.io/static-ip-finalizer", vitistackv1alpha1.FinalizerNetworkConfiguration},
		true:  {"vitistack.io/static-ip-finalizer"},
	} {
		old := existing(func(nc *vitistackv1alpha1.NetworkConfiguration) {
			if deleting {
				nc.DeletionTimestamp = &metav1.Time{}
				nc.DeletionTimestamp.Time = nc.DeletionTimestamp.AddDate(2026, 0, 0)
			}
		})
		nc, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{
			Machine: machine("m", nil), Name: "m", Existing: old, Options: options(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, nc.Finalizers); diff != "" {
			t.Errorf("deleting %t: -want finalizers +got:\n%s", deleting, diff)
		}
	}
}

// TestNetworkConfigurationKeeps: what others wrote into an existing one stays.
func TestNetworkConfigurationKeeps(t *testing.T) {
	old := existing(func(nc *vitistackv1alpha1.NetworkConfiguration) {
		nc.OwnerReferences = []metav1.OwnerReference{{Kind: "Other", UID: "x"},
			{Kind: "Machine", Name: "m", UID: machineUID, Controller: ptr.To(true)}}
		nc.Status.Phase = "Ready"
	})
	nc, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{
		Machine: machine("m", nil), Name: "m", Existing: old, Options: options(),
		Record: vitistackv1alpha1.NetworkRecord{Attachments: []vitistackv1alpha1.Attachment{
			{Interface: "default", MAC: "02:41:d6:dc:55:63", NetworkConfiguration: "m"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := old.DeepCopy()
	want.TypeMeta = metav1.TypeMeta{APIVersion: "vitistack.io/v1alpha1", Kind: "NetworkConfiguration"}
	for key, value := range desired.Labels(machine("m", nil), options()) {
		want.Labels[key] = value
	}
	want.Finalizers = append(want.Finalizers, vitistackv1alpha1.FinalizerNetworkConfiguration)
	want.OwnerReferences[1].APIVersion = "vitistack.io/v1alpha1"
	want.Spec.NetworkInterfaces = []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "default",
		MacAddress: "02:41:d6:dc:55:63"}}
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
			change: func(nc *vitistackv1alpha1.NetworkConfiguration) {
				nc.Labels = nil
			}, want: "refusal/NetworkConfigurationConflict",
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
			_, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{Machine: machine("m", nil), Name: "m",
				Existing: existing(tc.change), Options: options()})
			if diff := cmp.Diff(tc.want, reasonOf(err)); diff != "" {
				t.Errorf("\n%s\nNetworkConfiguration(...): -want error +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNetworkConfigurationInherited: with the virtual machine of an earlier Machine of this name
// come its addresses.
func TestNetworkConfigurationInherited(t *testing.T) {
	old := existing(func(nc *vitistackv1alpha1.NetworkConfiguration) {
		nc.Labels = desired.Labels(machine("m", func(m *vitistackv1alpha1.Machine) { m.UID = "earlier" }), options())
		nc.OwnerReferences = []metav1.OwnerReference{{Kind: "Machine", Name: "m", UID: "earlier", Controller: ptr.To(true)}}
	})
	for former, want := range map[types.UID]string{"earlier": "", "another": "refusal/NetworkConfigurationConflict",
		"": "refusal/NetworkConfigurationConflict"} {
		in := desired.NetworkConfigurationInput{Machine: machine("m", nil), Name: "m", Existing: old.DeepCopy(),
			Former: former, Options: options()}
		nc, err := desired.NetworkConfiguration(in)
		if diff := cmp.Diff(want, reasonOf(err)); diff != "" {
			t.Errorf("former %q: -want error +got:\n%s", former, diff)
		}
		if err == nil && (len(nc.OwnerReferences) != 1 || nc.OwnerReferences[0].UID != machineUID ||
			!desired.IsOurs(nc.Labels, machineUID, supervisorUID)) {
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
	vm.Spec.Template.Spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{{Name: "a", MacAddress: "02-AA-00-00-00-01"},
		{Name: "b"}}
	if diff := cmp.Diff([]desired.Interface{{Name: "a", MAC: "02:aa:00:00:00:01"}}, desired.Interfaces(vm)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
