package desired_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

const (
	machineUID    = types.UID("1a2b3c4d-0000-4000-8000-00000000000a")
	supervisorUID = "5d5d5d5d-0000-4000-8000-00000000000b"
	nonce         = "k7m2x9"
)

// scenario is a Machine and all that it depends on.
type scenario struct {
	reason   string
	machine  *vitistackv1alpha1.Machine
	class    *vitistackv1alpha1.MachineClass
	networks []vitistackv1alpha1.NetworkNamespace
	given    []vitistackv1alpha1.NetworkConfigurationInterface // the status of the NetworkConfigurations
	texts    map[string]string                                 // of Secrets and ConfigMaps, by name
	classes  desired.StorageClasses
	options  desired.Options
	vmPrefix string
}

// made are all the objects that come out of a scenario.
type made struct {
	NetworkRecord                *vitistackv1alpha1.NetworkRecord `json:"networkRecord,omitempty"`
	NetworkConfigurations        []any                            `json:"networkConfigurations,omitempty"`
	NetworkAttachmentDefinitions []any                            `json:"networkAttachmentDefinitions,omitempty"`
	Secret                       any                              `json:"secret,omitempty"`
	VirtualMachine               any                              `json:"virtualMachine,omitempty"`
}

// make goes the way of a reconcile.
func (s scenario) make() (made, error) {
	var all made
	vmName, err := desired.VMName(s.vmPrefix, s.machine.Name)
	if err != nil {
		return all, err
	}
	record, err := desired.Attach(desired.AttachInput{Machine: s.machine, NetworkNamespaces: s.networks,
		Options: s.options})
	if err != nil {
		return all, err
	}
	all.NetworkRecord = &record
	var configurations []vitistackv1alpha1.NetworkConfiguration
	for _, name := range desired.NetworkConfigurationNames(record) {
		one, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{
			Machine: s.machine, Record: record, Name: name, NetworkNamespace: s.networkOf(record, name), Options: s.options,
		})
		if err != nil {
			return all, err
		}
		all.NetworkConfigurations = append(all.NetworkConfigurations, one.DeepCopy())
		one.Status.NetworkInterfaces = s.given
		configurations = append(configurations, *one)
	}
	for _, a := range record.Attachments {
		nad, err := desired.NetworkAttachmentDefinition(s.machine.Namespace, a, s.options)
		if err != nil {
			return all, err
		}
		if nad != nil {
			all.NetworkAttachmentDefinitions = append(all.NetworkAttachmentDefinitions, nad.Object)
		}
	}
	sources, err := desired.CloudInitSources(s.machine)
	if err != nil {
		return all, err
	}
	for _, source := range []*desired.Source{&sources.UserData, &sources.NetworkData} {
		if source.Name != "" {
			source.Data = []byte(s.texts[source.Name])
		}
	}
	cloudInit, err := desired.NewCloudInit(desired.CloudInitInput{
		Machine: s.machine, VMName: vmName, Sources: sources, Network: record, NetworkNamespaces: s.networks,
		Configurations: configurations, Options: s.options,
	})
	if err != nil {
		return all, err
	}
	if cloudInit != nil && cloudInit.Secret != nil {
		all.Secret = cloudInit.Secret
	}
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: s.machine, Class: s.class, Network: record, StorageClasses: s.classes, CloudInit: cloudInit,
		Options: s.options,
		Ledger: vitistackv1alpha1.Ledger{Config: "cluster-east", Namespace: s.machine.Namespace, VMName: vmName,
			Nonce: nonce},
	})
	if err != nil {
		return all, err
	}
	all.VirtualMachine = vm
	return all, nil
}

// networkOf returns the NetworkNamespace of the NetworkConfiguration of a name, or nil.
func (s scenario) networkOf(record vitistackv1alpha1.NetworkRecord, name string) *vitistackv1alpha1.NetworkNamespace {
	for _, a := range record.Attachments {
		for i := range s.networks {
			if a.NetworkConfiguration == name && s.networks[i].Name == a.NetworkNamespace {
				return &s.networks[i]
			}
		}
	}
	return nil
}

func machine(name string, change func(*vitistackv1alpha1.Machine)) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team-a", UID: machineUID,
		Generation: 1}}
	if change != nil {
		change(m)
	}
	return m
}

func options() desired.Options {
	return desired.Options{SupervisorUID: supervisorUID}
}

func staticNetwork(vlan int) vitistackv1alpha1.NetworkNamespace {
	return vitistackv1alpha1.NetworkNamespace{
		ObjectMeta: metav1.ObjectMeta{Name: "team-a", Namespace: "team-a"},
		Spec: vitistackv1alpha1.NetworkNamespaceSpec{IPAllocation: &vitistackv1alpha1.NetworkNamespaceIPAllocation{
			Type: vitistackv1alpha1.IPAllocationTypeStatic,
			Static: &vitistackv1alpha1.StaticIPAllocationConfig{
				IPv4CIDR: "10.0.1.0/24", IPv4Gateway: "10.0.1.1", VlanID: vlan, DNS: []string{"10.0.1.2"},
			},
		}},
		Status: vitistackv1alpha1.NetworkNamespaceStatus{Phase: "Ready", VlanID: vlan},
	}
}

func dhcpNetwork(vlan int) vitistackv1alpha1.NetworkNamespace {
	return vitistackv1alpha1.NetworkNamespace{
		ObjectMeta: metav1.ObjectMeta{Name: "team-a", Namespace: "team-a"},
		Spec: vitistackv1alpha1.NetworkNamespaceSpec{IPAllocation: &vitistackv1alpha1.NetworkNamespaceIPAllocation{
			Type: vitistackv1alpha1.IPAllocationTypeDHCP,
		}},
		Status: vitistackv1alpha1.NetworkNamespaceStatus{Phase: "Ready", VlanID: vlan},
	}
}

func named(nn vitistackv1alpha1.NetworkNamespace, name string) vitistackv1alpha1.NetworkNamespace {
	nn.Name = name
	return nn
}

func machineClass(name string, cores int64, memory string) *vitistackv1alpha1.MachineClass {
	return &vitistackv1alpha1.MachineClass{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: vitistackv1alpha1.MachineClassSpec{
			CPU:    vitistackv1alpha1.MachineClassCPUSpec{Cores: cores},
			Memory: vitistackv1alpha1.MachineClassMemorySpec{Quantity: resource.MustParse(memory)},
		},
	}
}

func withImage(image, kind string) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Spec.OS.ImageID = image
		m.Annotations = map[string]string{vitistackv1alpha1.AnnotationBootSource: vitistackv1alpha1.BootSourceDataVolume}
		if kind != "" {
			m.Annotations[vitistackv1alpha1.AnnotationBootSourceType] = kind
		}
	}
}

func talos(m *vitistackv1alpha1.Machine) {
	m.Spec.MachineClass = "medium"
	m.Spec.Network.NetworkNamespaceName = "team-a"
	m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{
		{Name: "disk-0", SizeGB: 40, Type: "fast-block", Boot: true},
		{Name: "disk-1", SizeGB: 100, Type: "slow-block"},
	}
	m.Spec.OS.ImageID = "https://images.example.com/talos.raw.xz"
	m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{Type: vitistackv1alpha1.CloudInitNoCloud}
}

func withCloudInit(init vitistackv1alpha1.MachineCloudInit) func(*vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Spec.CloudInit = &init }
}

// scenarios are the golden files by name. They are the Machines that real control planes are asked
// to admit, too.
func scenarios() map[string]scenario {
	vlan10 := vitistackv1alpha1.NetworkConfigurationInterface{
		Name: "vlan10", IPAllocated: true,
		IPv4Addresses: []string{"10.0.1.21"}, IPv6Addresses: []string{"2001:db8:1::21"},
		IPv4Subnet: "10.0.1.0/24", IPv6Subnet: "2001:db8:1::/64",
		IPv4Gateway: "10.0.1.1", IPv6Gateway: "2001:db8:1::1", DNS: []string{"10.0.1.2", "2001:db8:1::2"},
	}
	twoStatic := []vitistackv1alpha1.NetworkInterface{{Name: "storage", Subnet: "storage"},
		{Subnet: "team-a", Primary: true}}
	storage := named(staticNetwork(40), "storage")
	storage.Spec.IPAllocation.Static.IPv4CIDR, storage.Spec.IPAllocation.Static.IPv4Gateway = "10.0.4.0/22", "10.0.4.1"
	storage.Status.IPv6Prefix = "2001:db8:4::/56"
	// What it does not say comes from its NetworkNamespace.
	onStorage := vitistackv1alpha1.NetworkConfigurationInterface{
		Name: "storage", IPv4Addresses: []string{"10.0.4.21"}, IPv6Addresses: []string{"2001:db8:4::21"},
		IPv6Gateway: "2001:db8:4::1", DNS: []string{"10.0.4.2"},
	}
	return map[string]scenario{
		"seed": {
			reason:  "the Machine of the specification: an instance type and nothing else",
			machine: machine("my-machine", func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "medium" }),
		},
		"talos": {
			reason:   "what a cluster's operator writes: two disks, an image that no annotation puts anywhere, empty cloud-init, static addresses",
			machine:  machine("abc123-ctp0", talos),
			class:    machineClass("medium", 4, "8Gi"),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{vlan10},
		},
		"disks-buses": {
			reason: "each type of disk on its bus; the second is the one to boot from; one has no name; options choose the storage",
			machine: machine("disks", func(m *vitistackv1alpha1.Machine) {
				m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{
					{SizeGB: 1, Type: "virtio"}, {Name: "system", SizeGB: 2, Type: "sata", Boot: true},
					{SizeGB: 3, Type: "scsi"}, {Name: "fast", SizeGB: 65536, Type: "nvme"},
				}
			}),
			options: desired.Options{StorageClassName: "fast-block", VolumeMode: "Block", AccessMode: "ReadWriteMany",
				CPUModel: "Haswell", ManagedBy: "us"},
		},
		"image-http": {reason: "the image becomes the content of the root disk",
			machine: machine("image", withImage("https://images.example.com/disk.img", ""))},
		"image-registry": {reason: "a registry's image gets the scheme that the importer wants",
			machine: machine("image", withImage("quay.io/containerdisks/fedora:42", "registry"))},
		"image-first-disk": {
			reason: "the first disk gets the image where none is marked",
			machine: machine("image", func(m *vitistackv1alpha1.Machine) {
				withImage("http://images.example.com/disk.img", "http")(m)
				m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "a", SizeGB: 5}, {Name: "b", SizeGB: 6}}
			}),
		},
		"image-iso": {
			reason:  "an image to install from is put into a drive, and the disk is tried first: it boots once there is something on it",
			machine: machine("iso", withImage("https://images.example.com/metal-amd64.ISO?token=1", "")),
		},
		"image-iso-size": {
			reason: "an image of 11.3 GiB says so, and gets whole GiB",
			machine: machine("iso", func(m *vitistackv1alpha1.Machine) {
				m.Spec.OS.ISOUri = "https://images.example.com/everything-dvd.iso"
				m.Annotations = map[string]string{
					vitistackv1alpha1.AnnotationBootSource: vitistackv1alpha1.BootSourceDataVolume,
					vitistackv1alpha1.AnnotationISOSize:    "11.3Gi",
				}
			}),
		},
		"image-iso-installed": {
			reason: "what is installed needs the drive no more",
			machine: machine("iso", func(m *vitistackv1alpha1.Machine) {
				withImage("https://images.example.com/metal-amd64.iso", "")(m)
				m.Annotations[vitistackv1alpha1.AnnotationOSInstalled] = "true"
			}),
		},
		"image-pvc": {
			reason: "a claim of the same namespace is copied; the other disk stays blank, and its type is a storage class that the cluster has",
			machine: machine("clone", func(m *vitistackv1alpha1.Machine) {
				withImage("golden", "pvc")(m)
				m.Spec.OS.ISOUri = "https://images.example.com/drivers.iso"
				m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "a", SizeGB: 5, Type: "unknown"},
					{Name: "b", SizeGB: 6, Type: "fast"}}
			}),
			classes: desired.StorageClasses{Listed: true, Names: []string{"fast", "slow"}},
		},
		"image-datasource": {reason: "a golden image that the cluster keeps up to date",
			machine: machine("clone", withImage("images/fedora", "datasource"))},
		"instancetype": {
			reason: "an instance type of the remote cluster gives processor and memory; secure boot needs the system management mode",
			machine: machine("typed", func(m *vitistackv1alpha1.Machine) {
				m.Spec.MachineClass = "medium"
				m.Annotations = map[string]string{
					vitistackv1alpha1.AnnotationInstancetype: "u1.medium", vitistackv1alpha1.AnnotationPreference: "fedora",
					vitistackv1alpha1.AnnotationSecureBoot: "true", vitistackv1alpha1.AnnotationEvictionStrategy: "LiveMigrate",
				}
			}),
		},
		"interfaces": {
			reason: "several interfaces, on two networks: the first one's is static and has the default route, which DHCP on the other does not bring",
			machine: machine("many", func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{}
				m.Spec.Network.Interfaces = []vitistackv1alpha1.NetworkInterface{
					{Name: "backup", Subnet: "backup"}, {Name: "main", Subnet: "team-a", Primary: true},
					{Name: "second", Subnet: "team-a"},
				}
			}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10), named(dhcpNetwork(30), "backup")},
			given: []vitistackv1alpha1.NetworkConfigurationInterface{
				vlan10, {Name: "second", IPv4Addresses: []string{"10.0.1.22"}, IPv4Subnet: "10.0.1.0/24", IPv4Gateway: "10.0.1.1"},
			},
		},
		"interfaces-static": {
			reason: "two static networks with both families: each interface has its own addresses, name servers and VLAN, and one has the default routes",
			machine: machine("many", func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{}
				m.Spec.Network.Interfaces = twoStatic
			}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10), storage},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{vlan10, onStorage},
		},
		"interfaces-static-drive": {
			reason: "the same on a configuration drive",
			machine: machine("many", func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{Type: vitistackv1alpha1.CloudInitConfigDrive}
				m.Spec.Network.Interfaces = twoStatic
			}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10), storage},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{vlan10, onStorage},
		},
		"interfaces-drive": {
			reason: "the same on a configuration drive",
			machine: machine("many", func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{Type: vitistackv1alpha1.CloudInitConfigDrive}
				m.Spec.Network.Interfaces = []vitistackv1alpha1.NetworkInterface{{Subnet: "team-a"},
					{Name: "backup", Subnet: "backup"}}
			}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10), named(dhcpNetwork(30), "backup")},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{vlan10},
		},
		"cloud-init-keys-added": {
			reason: "SSH keys are added to a cloud-config, whose text and comments stay",
			machine: machine("keys", func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\n# ours\nhostname: keys\n"}
				m.Spec.SSHKeys = []string{"ssh-ed25519 AAAA admin@example.com"}
			}),
		},
		"cloud-init-keys-alone": {
			reason: "keys alone ask for cloud-init",
			machine: machine("keys", func(m *vitistackv1alpha1.Machine) {
				m.Spec.SSHKeys = []string{"ssh-ed25519 AAAA admin@example.com"}
			}),
		},
		"vlan-dhcp": {
			reason: "a VLAN with DHCP is attached as such, and needs no network data (T16: it was lost, and the pod network taken)",
			machine: machine(
				"dhcp", withCloudInit(vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\nhostname: dhcp\n"})),
			networks: []vitistackv1alpha1.NetworkNamespace{dhcpNetwork(20)},
			options:  desired.Options{CNIVersion: "0.3.1", MACSet: "12"},
		},
		"untagged-static": {
			reason:   "a static network that names no VLAN is untagged: nothing will ever write one",
			machine:  machine("untagged", withCloudInit(vitistackv1alpha1.MachineCloudInit{})),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(0)},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan0", IPv4Addresses: []string{"10.0.1.21"}}},
		},
		"cloud-init-gzip": {
			reason: "compressed user data arrives byte for byte: it is no text",
			machine: machine("gzip", withCloudInit(vitistackv1alpha1.MachineCloudInit{
				UserDataBase64: "H4sIAAAAAAAAA1NOzskvTdFNzs9Ly0znysgvLslLzE21UihPTeICAMMK++wcAAAA",
			})),
		},
		"pod-network": {
			reason:   "a NetworkNamespace without a VLAN is the pod network",
			machine:  machine("pod", nil),
			networks: []vitistackv1alpha1.NetworkNamespace{dhcpNetwork(0)},
		},
		"cloud-init-keys": {
			reason: "SSH keys reach a guest without user data of its own; the configuration drive is honoured",
			machine: machine("keys", func(m *vitistackv1alpha1.Machine) {
				m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{Type: vitistackv1alpha1.CloudInitConfigDrive}
				m.Spec.SSHKeys = []string{"ssh-ed25519 AAAA admin@example.com"}
			}),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{vlan10},
		},
		"cloud-init-secret": {
			reason: "what comes out of a Secret stays in one, however small; what stands in a ConfigMap may be read by all",
			machine: machine("secret", withCloudInit(vitistackv1alpha1.MachineCloudInit{
				UserDataSecretRef:       &vitistackv1alpha1.CloudInitSourceRef{Name: "user"},
				NetworkDataConfigMapRef: &vitistackv1alpha1.CloudInitSourceRef{Name: "network", Key: "v2"},
			})),
			texts: map[string]string{"user": "#cloud-config\npassword: hidden\n", "network": "version: 2\n"},
		},
		"cloud-init-large": {
			reason: "KubeVirt takes 2,048 bytes and not one more",
			machine: machine("large", withCloudInit(vitistackv1alpha1.MachineCloudInit{
				UserData:    "#cloud-config\n" + strings.Repeat("#", 2048-13),
				NetworkData: "#" + strings.Repeat("x", 2047),
			})),
		},
		"sizes": {
			reason: "the Machine's own numbers go over those of the class, one by one",
			machine: machine("sizes", func(m *vitistackv1alpha1.Machine) {
				m.Spec.MachineClass, m.Spec.InstanceType = "big", "big"
				m.Spec.CPU.Sockets, m.Spec.CPU.ThreadsPerCore = 2, 2
				m.Spec.Memory = 3<<30 + 12345
				m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted
				m.Spec.OS.Architecture = "arm64"
			}),
			class: machineClass("big", 8, "64Gi"),
		},
		"long-names": {
			reason: "a name of 253 characters with dots ends in hashes, in every place",
			machine: machine(strings.Repeat("long.name-", 25)+"end", func(m *vitistackv1alpha1.Machine) {
				m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: strings.Repeat("d", 63), SizeGB: 1}}
			}),
			vmPrefix: "vm-",
		},
	}
}

func TestGolden(t *testing.T) {
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) {
			s.options.SupervisorUID = supervisorUID
			if s.vmPrefix == "" {
				s.vmPrefix = desired.DefaultVMNamePrefix
			}
			all, err := s.make()
			if err != nil {
				t.Fatalf("\n%s\nmake(): %v", s.reason, err)
			}
			got, err := yaml.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			got = append([]byte("# "+s.reason+"\n"), got...)
			path := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("\n%s\n-want +got (refresh with -update):\n%s", s.reason, diff)
			}
		})
	}
}

// TestGoldenFiles finds files that no scenario writes any more.
func TestGoldenFiles(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	known := scenarios()
	for _, path := range paths {
		if _, found := known[strings.TrimSuffix(filepath.Base(path), ".yaml")]; !found {
			t.Errorf("%s is of no scenario", path)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("ownerReferences:")) &&
			bytes.Contains(afterKey(content, "virtualMachine:"), []byte("ownerReferences:")) {
			t.Errorf("%s: a VirtualMachine has an owner, whom its cluster does not know and would collect it for (T1)", path)
		}
	}
}

func afterKey(content []byte, key string) []byte {
	_, after, _ := bytes.Cut(content, []byte("\n"+key))
	return after
}
