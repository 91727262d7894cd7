package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"pgregory.net/rapid"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

type (
	nics = []vitistackv1alpha1.NetworkInterface
	nns  = []vitistackv1alpha1.NetworkNamespace
)

func onNetwork(networkNamespace string, interfaces ...vitistackv1alpha1.NetworkInterface) *vitistackv1alpha1.Machine {
	return machine("web", func(m *vitistackv1alpha1.Machine) {
		m.Spec.Network.NetworkNamespaceName, m.Spec.Network.Interfaces = networkNamespace, interfaces
	})
}

func lan(vlan int) vitistackv1alpha1.NetworkNamespace {
	nn := named(dhcpNetwork(vlan), "lan")
	nn.UID = "uid-lan"
	return nn
}

func storageAt(vlan int) vitistackv1alpha1.NetworkNamespace {
	return named(dhcpNetwork(vlan), "storage")
}

// brief is an attachment in one line: interface, NetworkAttachmentDefinition, NetworkNamespace,
// NetworkConfiguration.
func brief(record vitistackv1alpha1.NetworkRecord) (lines []string) {
	for _, a := range record.Attachments {
		lines = append(
			lines, a.Interface+" on "+a.NetworkAttachmentDefinition+" of "+a.NetworkNamespace+" in "+a.NetworkConfiguration)
	}
	return lines
}

func attach(t *testing.T, m *vitistackv1alpha1.Machine, networks nns) vitistackv1alpha1.NetworkRecord {
	t.Helper()
	record, err := desired.Attach(desired.AttachInput{Machine: m, NetworkNamespaces: networks, Options: options()})
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// TestAttachAgain changes the world, the Machine, or both, after a record was made.
func TestAttachAgain(t *testing.T) {
	both := nics{{Name: "eth0", Subnet: "lan"}, {Name: "eth1", Subnet: "storage"}}
	primaryMoved := nics{{Name: "eth0", Subnet: "lan"}, {Name: "eth1", Subnet: "storage", Primary: true}}
	all := nns{lan(30), storageAt(31)}
	cases := map[string]struct {
		reason        string
		before, after *vitistackv1alpha1.Machine
		networks, now nns
		want          []string
		wantErr       string
	}{
		"Renumbered": {
			reason: "a NetworkNamespace that gets another VLAN does not move a virtual machine",
			before: onNetwork("lan"), after: onNetwork("lan"), networks: nns{lan(30)}, now: nns{lan(31)},
			want: []string{"vlan30 on vlan30 of lan in web"},
		},
		"Gone": {
			reason: "a NetworkNamespace that is gone for a moment adds no interface on the pod network",
			before: onNetwork(""), after: onNetwork(""), networks: nns{lan(30)},
			want: []string{"vlan30 on vlan30 of lan in web"},
		},
		"Appears": {
			reason: "the first NetworkNamespace of a namespace moves no virtual machine from the pod network",
			before: onNetwork(""), after: onNetwork(""), now: nns{lan(30)},
			want: []string{"default on  of  in web"},
		},
		"PrimaryMoved": {
			reason: "another primary interface gets no new name, address or configuration",
			before: onNetwork("lan", both...), after: onNetwork("lan", primaryMoved...), networks: all, now: all,
			want: []string{"vlan30 on vlan30 of lan in web", "eth1 on vlan31 of storage in web-storage-1a2b3c4d"},
		},
		"Added": {
			reason: "an interface that the Machine adds follows those that are there",
			before: onNetwork("lan"), after: onNetwork("lan", nics{{}, {Name: "eth1", Subnet: "storage"}}...), networks: all,
			now:  all,
			want: []string{"vlan30 on vlan30 of lan in web", "eth1 on vlan31 of storage in web-storage-1a2b3c4d"},
		},
		"AddedBesideOneThatIsGone": {
			reason: "the network of an interface that stays may be gone while another one is added",
			before: onNetwork("lan"), after: onNetwork("lan", nics{{}, {Name: "eth1", Subnet: "storage"}}...),
			networks: all, now: nns{storageAt(31)},
			want: []string{"vlan30 on vlan30 of lan in web", "eth1 on vlan31 of storage in web-storage-1a2b3c4d"},
		},
		"AddedOnNothing": {
			reason: "an interface whose network does not exist holds up itself alone: what is recorded stays in force",
			before: onNetwork("lan"), after: onNetwork("lan", nics{{}, {Name: "eth1", Subnet: "none"}}...), networks: all,
			now:  all,
			want: []string{"vlan30 on vlan30 of lan in web"}, wantErr: "wait/NetworkNamespaceNotFound",
		},
		"Taken": {
			reason: "an interface that the Machine no longer lists goes",
			before: onNetwork("lan", both...), after: onNetwork("lan", both[:1]...), networks: all, now: all,
			want: []string{"vlan30 on vlan30 of lan in web"},
		},
		"SpeltOut": {
			reason: "a Machine that spells out where it is already changes nothing",
			before: onNetwork("lan"), after: onNetwork("", nics{{Subnet: "lan"}}...), networks: all, now: all,
			want: []string{"vlan30 on vlan30 of lan in web"},
		},
		"Moved": {
			reason: "a Machine that names another NetworkNamespace is moved there",
			before: onNetwork("lan"), after: onNetwork("storage"), networks: all, now: all,
			want: []string{"vlan31 on vlan31 of storage in web"},
		},
		"SameNameElsewhere": {
			reason: "an interface that moves to another network gets another name: guest and addresses know it by its name",
			before: onNetwork("lan", nics{{}, {Name: "eth1", Subnet: "storage"}}...),
			after:  onNetwork("lan", nics{{}, {Name: "eth1", Subnet: "third"}}...), networks: all,
			now:  append(nns{named(dhcpNetwork(32), "third")}, all...),
			want: []string{"vlan30 on vlan30 of lan in web", "vlan32 on vlan32 of third in web-third-1a2b3c4d"},
		},
		"SecondOwnAfterAnotherNetworkAppeared": {
			reason: "a second interface of the Machine's own network is on the one that the first is on, although there are two now",
			before: onNetwork(""), after: onNetwork("", nics{{}, {Name: "eth1"}}...), networks: nns{lan(30)}, now: all,
			want: []string{"vlan30 on vlan30 of lan in web", "eth1 on vlan30 of lan in web"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			recorded := attach(t, tc.before, tc.networks)
			got, err := desired.Attach(desired.AttachInput{
				Machine: tc.after, Recorded: &recorded, NetworkNamespaces: tc.now, Options: options(),
			})
			if diff := cmp.Diff(tc.wantErr, reasonOf(err)); diff != "" {
				t.Errorf("\n%s\nAttach(...): -want error +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.want, brief(got)); diff != "" {
				t.Errorf("\n%s\nAttach(...): -want +got:\n%s", tc.reason, diff)
			}
			for _, a := range recorded.Attachments {
				for _, b := range got.Attachments {
					if a.Interface == b.Interface && a.MAC != b.MAC {
						t.Errorf("\n%s\ninterface %s has the address %s, and then %s", tc.reason, a.Interface, a.MAC, b.MAC)
					}
				}
			}
		})
	}
}

// liveVM is a virtual machine with interfaces, each "name" on the pod network or "name@definition".
func liveVM(interfaces ...[2]string) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{}
	vm.Namespace, vm.Spec.Template = "team-a", &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	spec := &vm.Spec.Template.Spec
	for _, i := range interfaces {
		network := kubevirtv1.Network{Name: i[0]}
		if i[1] == "" {
			network.Pod = &kubevirtv1.PodNetwork{}
		} else {
			network.Multus = &kubevirtv1.MultusNetwork{NetworkName: i[1]}
		}
		spec.Networks = append(spec.Networks, network)
		spec.Domain.Devices.Interfaces = append(spec.Domain.Devices.Interfaces, kubevirtv1.Interface{Name: i[0]})
	}
	return vm
}

// TestAttachAdopted takes over virtual machines that others made.
func TestAttachAdopted(t *testing.T) {
	untagged := named(staticNetwork(0), "untagged")
	cases := map[string]struct {
		reason   string
		machine  *vitistackv1alpha1.Machine
		vm       *kubevirtv1.VirtualMachine
		networks nns
		want     []string
	}{
		"FirstOfTheList": {
			reason:  "the public operator took the first NetworkNamespace where several are there and none is named",
			machine: onNetwork(""), vm: liveVM([2]string{"vlan30", "vlan30"}), networks: nns{lan(30), storageAt(31)},
			want: []string{"vlan30 on vlan30 of lan in web"},
		},
		"Untagged": {
			reason:  "an untagged static network has the definition vlan0",
			machine: onNetwork("untagged"), vm: liveVM([2]string{"vlan0", "vlan0"}), networks: nns{untagged, lan(30)},
			want: []string{"vlan0 on vlan0 of untagged in web"},
		},
		"Nothing": {
			reason:  "a virtual machine stays on its VLAN although its NetworkNamespace is gone",
			machine: onNetwork("lan"), vm: liveVM([2]string{"vlan30", "vlan30"}), networks: nns{storageAt(31)},
			want: []string{"vlan30 on vlan30 of  in web"},
		},
		"ForeignDefinition": {
			reason:  "a definition that a person made is kept, in its namespace or another",
			machine: onNetwork("lan"), vm: liveVM([2]string{"net", "team-a/fast"}), networks: nns{lan(30)},
			want: []string{"net on fast of lan in web"},
		},
		"ForeignNames": {
			reason:  "names that only KubeVirt allows, and a definition of another namespace, are recorded as they are",
			machine: onNetwork(""), vm: liveVM([2]string{"Net_1", "shared/fast"}),
			want: []string{"Net_1 on shared/fast of  in web"},
		},
		"ByHand": {
			reason:  "an interface that was added by hand is kept, and the Machine's own is the one that its network fits",
			machine: onNetwork("lan"), vm: liveVM([2]string{"default", ""}, [2]string{"nic", "vlan30"}), networks: nns{lan(30)},
			want: []string{"default on  of  in web", "nic on vlan30 of lan in web"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			record, err := desired.Attach(desired.AttachInput{
				Machine: tc.machine, VM: tc.vm, NetworkNamespaces: tc.networks, Options: options(),
			})
			if err != nil {
				t.Fatalf("\n%s\nAttach(...): %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, brief(record)); diff != "" {
				t.Errorf("\n%s\nAttach(...): -want +got:\n%s", tc.reason, diff)
			}
			if _, err := vitistackv1alpha1.ParseNetworkRecord(record.String()); err != nil {
				t.Errorf("\n%s\nthe record cannot be read again: %v", tc.reason, err)
			}
		})
	}
}

// TestAttachAdoptedEarlier takes over virtual machines that an earlier release had adopted, with
// the wish that it wrote on them.
func TestAttachAdoptedEarlier(t *testing.T) {
	storage := vitistackv1alpha1.NetworkInterface{Name: "storage", Subnet: "storage"}
	cases := map[string]struct {
		reason  string
		machine *vitistackv1alpha1.Machine
		vm      *kubevirtv1.VirtualMachine
		applied desired.Wish
		want    []string // the Wanted of each attachment
	}{
		"OtherName": {
			reason:  "the wish names the interface that the earlier release would have made, and the Machine's own is the one there is",
			machine: onNetwork(""), vm: liveVM([2]string{"nic0", "vlan77"}),
			applied: desired.Wish{Interfaces: []string{"default"}}, want: []string{""},
		},
		"TwoOtherNames": {
			reason:  "interfaces without a name in the wish belong to the entries in their order",
			machine: onNetwork("", nics{{}, storage}...), vm: liveVM([2]string{"nic0", "vlan77"}, [2]string{"nic1", "vlan78"}),
			applied: desired.Wish{Interfaces: []string{"default", "storage"}}, want: []string{"", "storage"},
		},
		"AddedByHand": {
			reason:  "where the wish names an interface that is there, another one was added by a person",
			machine: onNetwork(""), vm: liveVM([2]string{"nic0", "vlan77"}, [2]string{"default", ""}),
			applied: desired.Wish{Interfaces: []string{"default"}}, want: []string{desired.Unasked, ""},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.vm.Annotations = map[string]string{vitistackv1alpha1.AnnotationAppliedWish: tc.applied.String()}
			record, err := desired.Attach(desired.AttachInput{Machine: tc.machine, VM: tc.vm, Options: options()})
			if err != nil {
				t.Fatalf("\n%s\nAttach(...): %v", tc.reason, err)
			}
			var got []string
			for _, a := range record.Attachments {
				got = append(got, a.Wanted)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nAttach(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAttachBeside: an earlier release added a second interface once a NetworkNamespace appeared,
// and wrote both into one NetworkConfiguration. The first one is on no NetworkNamespace.
func TestAttachBeside(t *testing.T) {
	m := onNetwork("")
	nc := vitistackv1alpha1.NetworkConfiguration{}
	nc.Namespace, nc.Name, nc.Labels = m.Namespace, m.Name, desired.Labels(m, options())
	nc.Spec.NetworkNamespaceName = "lan"
	nc.Spec.NetworkInterfaces = []vitistackv1alpha1.NetworkConfigurationInterface{
		{Name: "vlan31", MacAddress: "02:aa:00:00:00:02"}, {Name: "default", MacAddress: "02:aa:00:00:00:01"},
	}
	vm := liveVM([2]string{"default", ""}, [2]string{"vlan31", "vlan31"})
	vm.Annotations = map[string]string{
		vitistackv1alpha1.AnnotationAppliedWish: desired.Wish{Interfaces: []string{"vlan31"}}.String(),
	}
	record, err := desired.Attach(desired.AttachInput{
		Machine: m, VM: vm, Configurations: []vitistackv1alpha1.NetworkConfiguration{nc}, NetworkNamespaces: nns{lan(31)},
		Options: options(),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"default on  of  in web", "vlan31 on vlan31 of lan in web"}
	if diff := cmp.Diff(want, brief(record)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if drift := desired.NetworkDrift(record, nns{lan(31)}); drift != "" {
		t.Errorf("nothing has changed, and the drift is %q", drift)
	}
}

// TestUnaskedStays: what a person added to a virtual machine is never taken away, whatever the
// Machine asks for later.
func TestUnaskedStays(t *testing.T) {
	networks := nns{lan(30), storageAt(31)}
	vm := liveVM([2]string{"default", ""}, [2]string{"nic", "vlan30"})
	record, err := desired.Attach(desired.AttachInput{Machine: onNetwork("lan"), VM: vm, NetworkNamespaces: networks,
		Options: options()})
	if err != nil {
		t.Fatal(err)
	}
	record, err = desired.Attach(desired.AttachInput{
		Machine: onNetwork("storage"), Recorded: &record, NetworkNamespaces: networks, Options: options(),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"default on  of  in web", "vlan31 on vlan31 of storage in web"}
	if diff := cmp.Diff(want, brief(record)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestAttachIsSticky is the property that networks alone change no record, and that a record is
// what its Machine gets again.
func TestAttachIsSticky(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		networks := func(label string) (all nns) {
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"lan", "storage", "web", "x"}), 0, 4,
				rapid.ID).Draw(t, label) {
				all = append(all, named(dhcpNetwork(rapid.IntRange(0, 40).Draw(t, "vlan")), name))
			}
			return all
		}
		m := onNetwork(rapid.SampledFrom([]string{"", "lan", "storage"}).Draw(t, "own"))
		for range rapid.IntRange(0, 3).Draw(t, "interfaces") {
			m.Spec.Network.Interfaces = append(m.Spec.Network.Interfaces, vitistackv1alpha1.NetworkInterface{
				Name:    rapid.SampledFrom([]string{"", "eth0", "eth1"}).Draw(t, "name"),
				Subnet:  rapid.SampledFrom([]string{"", "lan", "storage"}).Draw(t, "subnet"),
				Primary: rapid.Bool().Draw(t, "primary"),
			})
		}
		in := desired.AttachInput{Machine: m, NetworkNamespaces: networks("before"), Options: options()}
		record, err := desired.Attach(in)
		if err != nil {
			return
		}
		in.Recorded, in.NetworkNamespaces = &record, networks("after")
		for i := range m.Spec.Network.Interfaces {
			m.Spec.Network.Interfaces[i].Primary = rapid.Bool().Draw(t, "primary now")
		}
		again, err := desired.Attach(in)
		if err != nil {
			t.Fatalf("networks alone refuse a recorded Machine: %v", err)
		}
		if diff := cmp.Diff(record, again); diff != "" {
			t.Fatalf("networks alone change the record: -want +got:\n%s", diff)
		}
		parsed, err := vitistackv1alpha1.ParseNetworkRecord(record.String())
		if err != nil {
			t.Fatalf("the record cannot be read: %v", err)
		}
		if diff := cmp.Diff(record, parsed); diff != "" {
			t.Fatalf("the record is read otherwise: -want +got:\n%s", diff)
		}
	})
}

func TestNetworkDrift(t *testing.T) {
	another := lan(30)
	another.UID = "uid-2"
	cases := map[string]struct {
		reason   string
		networks nns
		want     string
	}{
		"Same": {reason: "record and NetworkNamespace agree", networks: nns{lan(30)}},
		"Gone": {
			reason: "a NetworkNamespace that is gone is named",
			want:   `NetworkNamespace "lan" is gone; the virtual machine keeps its interfaces as they are`,
		},
		"VLAN": {
			reason: "another VLAN is named with the one that the interface is on", networks: nns{lan(31)},
			want: `NetworkNamespace "lan" now has VLAN 31, and interface "vlan30" was made on VLAN 30; ` +
				`the virtual machine keeps its interfaces as they are`,
		},
		"UID": {
			reason: "a NetworkNamespace that was deleted and made again is another network perhaps", networks: nns{another},
			want: `NetworkNamespace "lan" is another object of the same name; the virtual machine keeps its interfaces as they are`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			record := attach(t, onNetwork("lan"), nns{lan(30)})
			if diff := cmp.Diff(tc.want, desired.NetworkDrift(record, tc.networks)); diff != "" {
				t.Errorf("\n%s\nNetworkDrift(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
