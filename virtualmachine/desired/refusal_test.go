package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestRefusals is what cannot be made, or not yet.
func TestRefusals(t *testing.T) {
	disks := func(disks ...vitistackv1alpha1.MachineSpecDisk) func(*vitistackv1alpha1.Machine) {
		return func(m *vitistackv1alpha1.Machine) { m.Spec.Disks = disks }
	}
	cases := map[string]struct {
		reason   string
		machine  func(*vitistackv1alpha1.Machine)
		networks []vitistackv1alpha1.NetworkNamespace
		given    []vitistackv1alpha1.NetworkConfigurationInterface
		want     string
		message  string
	}{
		"TwoBootDisks": {
			reason: "two boot disks shared one claim (D19)",
			machine: disks(vitistackv1alpha1.MachineSpecDisk{Name: "a", SizeGB: 1, Boot: true},
				vitistackv1alpha1.MachineSpecDisk{Name: "b", SizeGB: 1, Boot: true}),
			want: "refusal/InvalidSpec", message: `disks "a" and "b" are both marked to boot from`,
		},
		"UnnamedAndRoot": {
			reason: "the first disk without a name is root, and so was the second (D19)",
			machine: disks(vitistackv1alpha1.MachineSpecDisk{SizeGB: 1},
				vitistackv1alpha1.MachineSpecDisk{Name: "root", SizeGB: 1}),
			want:    "refusal/InvalidSpec",
			message: `the disk name "root" is taken: two disks have it, or it is that of a disk of the operator's`,
		},
		"CloudInitDisk": {
			reason:  "a disk that is called like the one that we add",
			machine: disks(vitistackv1alpha1.MachineSpecDisk{Name: "cloudinitdisk", SizeGB: 1}),
			want:    "refusal/InvalidSpec",
			message: `the disk name "cloudinitdisk" is taken: two disks have it, or it is that of a disk of the operator's`,
		},
		"DiskName": {
			reason:  "KubeVirt makes containers of that name",
			machine: disks(vitistackv1alpha1.MachineSpecDisk{Name: "Data_1", SizeGB: 1}),
			want:    "refusal/InvalidSpec",
		},
		"NoSize": {reason: "a disk of nothing", machine: disks(vitistackv1alpha1.MachineSpecDisk{Name: "a"}),
			want: "refusal/InvalidSpec", message: `disk "a": 0 GiB are not between 1 and 65536`},
		"HugeDisk": {reason: "a definition of others may let it in",
			machine: disks(vitistackv1alpha1.MachineSpecDisk{SizeGB: 65537}), want: "refusal/InvalidSpec"},
		"ImageKind": {
			reason:  "an unknown kind gave a disk without a source, which nobody ever filled",
			machine: withImage("https://a/b", "s3"), want: "refusal/InvalidSpec",
		},
		"ImageNoHost": {reason: "what has no host is no URL", machine: withImage("ubuntu", ""), want: "refusal/InvalidSpec",
			message: "os.imageID is not a URL with a host"},
		"ImageSecret": {
			reason:  "a message never repeats a URL: there may be a password in it",
			machine: withImage("ftp://user:hidden@host/image", ""),
			want:    "refusal/InvalidSpec", message: "the URL in os.imageID must begin with http:// or https://",
		},
		"ImageFile": {reason: "nor is a file of the importer's", machine: withImage("file:///etc/passwd", ""),
			want: "refusal/InvalidSpec"},
		"ImageClaim": {reason: "a claim is named", machine: withImage("a/b/c", "pvc"), want: "refusal/InvalidSpec"},
		"TwoISOs": {
			reason: "one drive", machine: func(m *vitistackv1alpha1.Machine) {
				withImage("https://a/b.iso", "")(m)
				m.Spec.OS.ISOUri = "https://a/c.iso"
			}, want: "refusal/InvalidSpec", message: "os.imageID and os.isoUri are both ISO images",
		},
		"ISOSizeWithoutUnit": {
			reason: "12 are bytes, and an image of 12 bytes is none", machine: withISOSize("12"),
			want: "refusal/InvalidSpec", message: `annotation vitistack.io/iso-size is "12", which is not between 1Mi and 64Ti`,
		},
		"ISOSizeHuge": {reason: "more than can be counted in bytes", machine: withISOSize("9e30"),
			want: "refusal/InvalidSpec"},
		"ISOSizeNegative": {reason: "less than nothing", machine: withISOSize("-8Gi"), want: "refusal/InvalidSpec"},
		"ISOSizeEmpty":    {reason: "set to nothing is no size", machine: withISOSize(""), want: "refusal/InvalidSpec"},
		"ISOSizeNonsense": {
			reason: "a unit that nobody knows", machine: withISOSize("12 GB"),
			want: "refusal/InvalidSpec", message: `annotation vitistack.io/iso-size is "12 GB", which is no quantity: 12Gi is one`,
		},
		"InstancetypeAndMemory": {
			reason: "two sizes", machine: func(m *vitistackv1alpha1.Machine) {
				m.Annotations = map[string]string{vitistackv1alpha1.AnnotationInstancetype: "u1.small"}
				m.Spec.Memory = 1 << 30
			}, want: "refusal/InvalidSpec",
			message: "annotation vitistack.io/instancetype gives processor and memory: leave cpu and memory out",
		},
		"SecureBootOnARM": {
			reason: "KubeVirt has none there", machine: func(m *vitistackv1alpha1.Machine) {
				m.Annotations = map[string]string{vitistackv1alpha1.AnnotationSecureBoot: "true"}
				m.Spec.OS.Architecture = "arm64"
			}, want: "refusal/InvalidSpec",
		},
		"SecureBootMaybe": {reason: "a word that means nothing",
			machine: withAnnotation(vitistackv1alpha1.AnnotationSecureBoot, "yes"), want: "refusal/InvalidSpec"},
		"Eviction": {reason: "a word that means nothing",
			machine: withAnnotation(vitistackv1alpha1.AnnotationEvictionStrategy, "Never"), want: "refusal/InvalidSpec"},
		"KeysForAScript": {
			reason: "keys cannot be added to a script", machine: func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#!/bin/sh\nid\n"}
				m.Spec.SSHKeys = []string{"ssh-ed25519 A"}
			}, want: "refusal/InvalidSpec",
			message: "sshKeys can be added to user data that is a #cloud-config, and this is none",
		},
		"KeysTwice": {
			reason: "nobody can tell which are meant", machine: func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\nssh_authorized_keys: []\n"}
				m.Spec.SSHKeys = []string{"ssh-ed25519 A"}
			}, want: "refusal/InvalidSpec",
			message: "sshKeys is set, and the user data has ssh_authorized_keys of its own: set one of them",
		},
		"TwoOnThePodNetwork": {
			reason: "KubeVirt takes one", machine: withInterfaces(vitistackv1alpha1.NetworkInterface{},
				vitistackv1alpha1.NetworkInterface{Name: "b"}),
			want: "refusal/InvalidSpec", message: `network.interfaces: "default" and "b" are both on the pod network, which takes one`,
		},
		"TwoInterfacesOfOneName": {
			reason:   "operators of addresses know them by their names",
			machine:  withInterfaces(vitistackv1alpha1.NetworkInterface{}, vitistackv1alpha1.NetworkInterface{}),
			networks: []vitistackv1alpha1.NetworkNamespace{dhcpNetwork(20)},
			want:     "refusal/InvalidSpec", message: `network.interfaces: two are called "vlan20": give the second a name`,
		},
		"NoAddressElsewhere": {
			reason: "one network has given its address, and the other has not yet", machine: func(m *vitistackv1alpha1.Machine) {
				withInterfaces(vitistackv1alpha1.NetworkInterface{Subnet: "team-a"},
					vitistackv1alpha1.NetworkInterface{Subnet: "other"})(m)
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{}
			},
			networks: []vitistackv1alpha1.NetworkNamespace{named(staticNetwork(20), "other"), staticNetwork(10)},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10", IPv4Addresses: []string{"10.0.1.9"}}},
			want:     "wait/WaitingForAddresses",
			message:  `no address is given yet to interface "vlan20" in NetworkNamespace "other"`,
		},
		"GatewayOfAnotherFamily": {
			reason: "a route that no guest can set", machine: withCloudInit(vitistackv1alpha1.MachineCloudInit{}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given: []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10", IPv4Addresses: []string{"10.0.1.9"},
				IPv4Gateway: "2001:db8::1"}},
			want:    "refusal/InvalidSpec",
			message: `the gateway "2001:db8::1" is of another family than the address "10.0.1.9"`,
		},
		"RunStrategy": {
			reason: "a definition of others may let anything in", machine: func(m *vitistackv1alpha1.Machine) {
				m.Spec.RunStrategy = "Sometimes"
			},
			want: "refusal/InvalidSpec", message: `runStrategy "Sometimes" is unknown`,
		},
		"Architecture": {
			reason: "KubeVirt would take what it does not know for its own", machine: func(m *vitistackv1alpha1.Machine) {
				m.Spec.OS.Architecture = "mips"
			},
			want: "refusal/InvalidSpec",
		},
		"NoUID": {
			reason: "without a UID nothing made could ever be found again", machine: func(m *vitistackv1alpha1.Machine) {
				m.UID = ""
			},
			want: "the Machine has no UID: it was never read from a cluster",
		},
		"CloudInitBase64": {
			reason: "not base64", machine: withCloudInit(vitistackv1alpha1.MachineCloudInit{UserDataBase64: "%"}),
			want: "refusal/InvalidSpec", message: "cloudInit.userDataBase64 is not base64",
		},
		"CloudInitType": {
			reason:  "a definition of others may let anything in",
			machine: withCloudInit(vitistackv1alpha1.MachineCloudInit{Type: "floppy"}), want: "refusal/InvalidSpec",
		},
		"NamedNetworkMissing": {
			reason: "it may be created later than the Machine", machine: func(m *vitistackv1alpha1.Machine) {
				m.Spec.Network.NetworkNamespaceName = "other"
			},
			networks: []vitistackv1alpha1.NetworkNamespace{dhcpNetwork(20)},
			want:     "wait/NetworkNamespaceNotFound", message: `there is no NetworkNamespace "other" in namespace "team-a"`,
		},
		"StaticWithoutStatus": {
			reason: "a static network that asks for a VLAN has none before its status says so",
			networks: []vitistackv1alpha1.NetworkNamespace{func() vitistackv1alpha1.NetworkNamespace {
				n := staticNetwork(10)
				n.Status.VlanID = 0
				return n
			}()},
			want:    "wait/NetworkNamespaceNotReady",
			message: `the status of the static NetworkNamespace "team-a" has no VLAN yet, and its spec asks for one`,
		},
		"NetworkWithoutStatus": {
			reason: "nobody has said yet that there is no VLAN: the pod network would be a guess (T16)",
			networks: []vitistackv1alpha1.NetworkNamespace{func() vitistackv1alpha1.NetworkNamespace {
				n := dhcpNetwork(0)
				n.Status.Phase = ""
				return n
			}()},
			want: "wait/NetworkNamespaceNotReady",
		},
		"BadVLAN": {reason: "a status may say anything", networks: []vitistackv1alpha1.NetworkNamespace{dhcpNetwork(4095)},
			want: "refusal/InvalidSpec"},
		"NoAddressYet": {
			reason:   "network data without an address would be final: the guest reads it once",
			machine:  withCloudInit(vitistackv1alpha1.MachineCloudInit{}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			want:     "wait/WaitingForAddresses",
			message:  `no address is given yet to interface "vlan10" in NetworkNamespace "team-a"`,
		},
		"AddressOfAnother": {
			reason:   "the status is of an earlier Machine of this name, with another MAC address",
			machine:  withCloudInit(vitistackv1alpha1.MachineCloudInit{}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given: []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10", MacAddress: "02:00:00:00:00:01",
				IPv4Addresses: []string{"10.0.1.9"}}},
			want: "wait/WaitingForAddresses",
		},
		"BadAddress": {
			reason: "not an address", machine: withCloudInit(vitistackv1alpha1.MachineCloudInit{}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10", IPv4Addresses: []string{"10.0.1"}}},
			want:     "refusal/InvalidSpec",
		},
		"NoSubnet": {
			reason: "an IPv6 address without any prefix length", machine: withCloudInit(vitistackv1alpha1.MachineCloudInit{}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given: []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10",
				IPv6Addresses: []string{"2001:db8::1"}}},
			want: "refusal/InvalidSpec",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scenario{machine: machine("m", tc.machine), networks: tc.networks, given: tc.given, options: options(),
				vmPrefix: "vm-"}
			_, err := s.make()
			if diff := cmp.Diff(tc.want, reasonOf(err)); diff != "" {
				t.Fatalf("\n%s\nmake(): -want error +got:\n%s", tc.reason, diff)
			}
			if tc.message == "" {
				return
			}
			if diff := cmp.Diff(tc.message, err.Error()); diff != "" {
				t.Errorf("\n%s\nmake(): -want message +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func withAnnotation(key, value string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Annotations = map[string]string{key: value} }
}

func withISOSize(size string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		withImage("https://images.example.com/a.iso", "")(m)
		m.Annotations[vitistackv1alpha1.AnnotationISOSize] = size
	}
}

func withInterfaces(interfaces ...vitistackv1alpha1.NetworkInterface) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Spec.Network.Interfaces = interfaces }
}

func TestVirtualMachineLedger(t *testing.T) {
	cases := map[string]struct {
		reason string
		ledger vitistackv1alpha1.Ledger
		want   string
	}{
		"None": {reason: "nothing is made for a Machine without a place",
			want: "the Machine is not placed: its ledger names no VirtualMachine"},
		"BadName": {reason: "a ledger's name may have dots, a VirtualMachine's here not",
			ledger: vitistackv1alpha1.Ledger{Namespace: "a", VMName: "a.b"}, want: "refusal/NameTooLong"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := desired.VirtualMachine(desired.Input{Machine: machine("m", nil), Ledger: tc.ledger, Options: options()})
			if diff := cmp.Diff(tc.want, reasonOf(err)); diff != "" {
				t.Errorf("\n%s\nVirtualMachine(...): -want error +got:\n%s", tc.reason, diff)
			}
		})
	}
}
