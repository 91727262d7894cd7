package observed_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// TestRunning is the whole status of a Machine that runs.
func TestRunning(t *testing.T) {
	at := func(t time.Time) *metav1.Time { return &metav1.Time{Time: t} }
	condition := func(conditionType, reason, message string) vitistackv1alpha1.MachineCondition {
		return vitistackv1alpha1.MachineCondition{
			Type: conditionType, Status: "True", ObservedGeneration: 3, LastTransitionTime: metav1.Time{Time: now},
			Reason: reason, Message: message,
		}
	}
	want := vitistackv1alpha1.MachineStatus{
		ObservedGeneration: 3, Phase: "Running", State: "Running", Message: "the virtual machine runs",
		KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "cluster-east", ClusterUID: "cluster-uid"},
		VMName:            "vm-m", NodeName: "node-1", Provider: "kubevirt",
		ProviderID: "kubevirt://cluster-east/team-a/vm-m", MachineID: "vm-uid",
		Conditions: []vitistackv1alpha1.MachineCondition{
			condition("Placed", "Placed", `placed in "cluster-east" as team-a/vm-m`),
			condition("RemoteReachable", "Connected", "the remote cluster answers"),
			condition("NetworkReady", "NetworkConfigured", "interfaces and addresses are there"),
			condition("VirtualMachineReady", "Running", "the virtual machine runs"),
			condition("Ready", "Ready", "the virtual machine runs"),
		},
		LastUpdated: at(now), BootTime: at(before), CreationTime: at(before),
		IPAddresses: []string{"10.0.1.21", "172.17.0.1"}, IPv6Addresses: []string{"2001:db8::10"},
		PublicIPAddresses: []string{"10.0.1.21", "2001:db8::10"}, PrivateIPAddresses: []string{"172.17.0.1"},
		Hostname: "vm-m", Architecture: "amd64", OperatingSystem: "Ubuntu", OperatingSystemVersion: "24.04",
		KernelVersion: "6.8.0-60-generic",
		CPUs:          4, Memory: 2 << 30,
		Disks: []vitistackv1alpha1.MachineStatusDisk{{
			Name: "root", Size: 11 << 30, Type: "virtio", PVCName: "vm-m-root-1a2b3c4d", VolumeMode: "Block",
			AccessModes: []string{"ReadWriteMany"}, Device: "/dev/vdb",
		}},
		NetworkInterfaces: []vitistackv1alpha1.NetworkInterfaceStatus{
			{
				Name: "vlan10", MACAddress: "02:00:00:00:00:01", IPAddresses: []string{"10.0.1.21", "fe80::1", "2001:db8::10"},
				IPv6Addresses: []string{"fe80::1", "2001:db8::10"}, State: "up", Type: "domain, guest-agent, multus-status",
			},
			{MACAddress: "02:42:00:00:00:02", IPAddresses: []string{"172.17.0.1"}, Type: "guest-agent"},
		},
	}
	got := observed.Status(input(with(virtualMachine("Running"), instance(kubevirtv1.Running))))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Status(...): -want +got:\n%s", diff)
	}
}

// TestStopped is the whole status of a Machine that ran and does not: what is of the guest is gone
// (D22), what is of the disks stays.
func TestStopped(t *testing.T) {
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	in := input(after(ran), with(virtualMachine("Stopped"), nil))
	want := in.Machine.Status.DeepCopy()
	want.Phase, want.State, want.Message = "Stopped", "Stopped", "the virtual machine is stopped"
	want.NodeName, want.Hostname, want.BootTime = "", "", nil
	want.OperatingSystem, want.OperatingSystemVersion, want.KernelVersion = "", "", ""
	want.IPAddresses, want.IPv6Addresses, want.PublicIPAddresses, want.PrivateIPAddresses = nil, nil, nil, nil
	want.NetworkInterfaces = []vitistackv1alpha1.NetworkInterfaceStatus{{Name: "vlan10", MACAddress: "02:00:00:00:00:01"}}
	want.Disks = []vitistackv1alpha1.MachineStatusDisk{{Name: "root", Size: 10 << 30, Type: "virtio",
		PVCName: "vm-m-root-1a2b3c4d"}}
	want.Conditions[2].Status, want.Conditions[2].Reason = "False", "WaitingForAddresses"
	want.Conditions[2].Message = "interface vlan10 has no address while its guest does not run"
	want.Conditions[2].LastTransitionTime = metav1.Time{Time: now}
	want.Conditions[3].Reason, want.Conditions[3].Message = "Stopped", "the virtual machine is stopped"
	want.Conditions[4].Message = "the virtual machine is stopped"
	want.LastUpdated = &metav1.Time{Time: now}
	if diff := cmp.Diff(*want, observed.Status(in)); diff != "" {
		t.Errorf("Status(...): -want +got:\n%s", diff)
	}
}

func TestNetworkInterfaces(t *testing.T) {
	report := func(reported ...kubevirtv1.VirtualMachineInstanceNetworkInterface) *kubevirtv1.VirtualMachineInstance {
		return instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Interfaces = reported })
	}
	type addresses struct {
		V4, V6, Public, Private []string
		Interfaces              []string // name/MAC
	}
	cases := map[string]struct {
		reason   string
		vmi      *kubevirtv1.VirtualMachineInstance
		ipSource observed.IPSource
		nc       *vitistackv1alpha1.NetworkConfiguration
		want     addresses
	}{
		"NoReport": {
			reason: "an instance that has not reported yet: consumers skip a Machine without interfaces, so the one of the spec is there",
			vmi:    report(), want: addresses{Interfaces: []string{"vlan10/02:00:00:00:00:01"}},
		},
		"NoIP": {
			reason: "a bridge without a guest agent has no address to report, and is there (T7)",
			vmi: report(kubevirtv1.VirtualMachineInstanceNetworkInterface{Name: "vlan10", MAC: "02:00:00:00:00:01",
				InfoSource: "domain"}),
			want: addresses{Interfaces: []string{"vlan10/02:00:00:00:00:01"}},
		},
		"ZeroMAC": {
			reason: "a MAC address of zeros is none: the spec's counts (T7)",
			vmi: report(kubevirtv1.VirtualMachineInstanceNetworkInterface{Name: "vlan10", MAC: "00:00:00:00:00:00",
				IPs: []string{"10.0.0.1"}}),
			want: addresses{Interfaces: []string{"vlan10/02:00:00:00:00:01"}},
		},
		"LinkLocalOnly": {
			reason: "with a link-local address a consumer would take the Machine for ready",
			vmi: report(kubevirtv1.VirtualMachineInstanceNetworkInterface{Name: "vlan10", MAC: "02:00:00:00:00:01",
				IPs: []string{"fe80::1", "169.254.1.1"}}),
			want: addresses{Interfaces: []string{"vlan10/02:00:00:00:00:01"}},
		},
		"IPv4First": {
			reason: "consumers read the first address as IPv4, whatever comes first here (T7)",
			vmi: report(
				kubevirtv1.VirtualMachineInstanceNetworkInterface{Name: "vlan10", MAC: "02:00:00:00:00:01",
					IPs: []string{"2001:db8::1", "10.0.0.1"}},
				kubevirtv1.VirtualMachineInstanceNetworkInterface{Name: "vlan11", MAC: "02:00:00:00:00:02",
					IPs: []string{"10.0.0.2", "10.0.0.1"}},
			),
			want: addresses{
				V4: []string{"10.0.0.1", "10.0.0.2"}, V6: []string{"2001:db8::1"},
				Public:     []string{"10.0.0.1", "10.0.0.2", "2001:db8::1"},
				Interfaces: []string{"vlan10/02:00:00:00:00:01", "vlan11/02:00:00:00:00:02"},
			},
		},
		"Garbage": {
			reason: "a guest may say anything",
			vmi: report(kubevirtv1.VirtualMachineInstanceNetworkInterface{Name: "vlan10", MAC: "02:00:00:00:00:01",
				IP: "10.0.0.1/24", IPs: []string{"", "x", "10.0.0.1/24"}}),
			want: addresses{V4: []string{"10.0.0.1"}, Public: []string{"10.0.0.1"},
				Interfaces: []string{"vlan10/02:00:00:00:00:01"}},
		},
		"FromConfiguration": {
			reason: "a site may trust its own book-keeping more than guests; private ones still come from them",
			vmi:    instance(kubevirtv1.Running), ipSource: observed.IPSourceNetworkConfiguration,
			nc: &vitistackv1alpha1.NetworkConfiguration{Status: vitistackv1alpha1.NetworkConfigurationStatus{
				NetworkInterfaces: []vitistackv1alpha1.NetworkConfigurationInterface{{IPv6Addresses: []string{"2001:db8::99"},
					IPv4Addresses: []string{"10.0.1.99"}}},
			}},
			want: addresses{
				V4: []string{"10.0.1.99", "172.17.0.1"}, V6: []string{"2001:db8::99"},
				Public: []string{"10.0.1.99", "2001:db8::99"}, Private: []string{"172.17.0.1"},
				Interfaces: []string{"vlan10/02:00:00:00:00:01", "/02:42:00:00:00:02"},
			},
		},
		"FromNoConfiguration": {
			reason: "without one there are none", vmi: instance(kubevirtv1.Running),
			ipSource: observed.IPSourceNetworkConfiguration,
			want: addresses{V4: []string{"172.17.0.1"}, Private: []string{"172.17.0.1"},
				Interfaces: []string{"vlan10/02:00:00:00:00:01", "/02:42:00:00:00:02"}},
		},
		"NotRunning": {
			reason: "an instance that is being scheduled has no guest", vmi: instance(kubevirtv1.Scheduling),
			want: addresses{Interfaces: []string{"vlan10/02:00:00:00:00:01"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := observed.Status(input(with(virtualMachine("Starting"), tc.vmi), func(in *observed.Input) {
				in.Options.IPSource = tc.ipSource
				if tc.nc != nil {
					in.Network.Configurations = []vitistackv1alpha1.NetworkConfiguration{*tc.nc}
				}
			}))
			got := addresses{V4: s.IPAddresses, V6: s.IPv6Addresses, Public: s.PublicIPAddresses, Private: s.PrivateIPAddresses}
			for _, i := range s.NetworkInterfaces {
				got.Interfaces = append(got.Interfaces, i.Name+"/"+i.MACAddress)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nStatus(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDisks(t *testing.T) {
	volume := func(v kubevirtv1.VolumeStatus) *kubevirtv1.VirtualMachineInstance {
		v.Name = "root"
		return instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) {
			vmi.Status.VolumeStatus = []kubevirtv1.VolumeStatus{v}
		})
	}
	claim := func(capacity string) *kubevirtv1.PersistentVolumeClaimInfo {
		return &kubevirtv1.PersistentVolumeClaimInfo{Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(
			capacity)}}
	}
	base := vitistackv1alpha1.MachineStatusDisk{Name: "root", Type: "virtio", PVCName: "vm-m-root-1a2b3c4d",
		Size: 10 << 30}
	disk := func(change func(*vitistackv1alpha1.MachineStatusDisk)) vitistackv1alpha1.MachineStatusDisk {
		d := base
		change(&d)
		return d
	}
	cases := map[string]struct {
		reason string
		vmi    *kubevirtv1.VirtualMachineInstance
		want   vitistackv1alpha1.MachineStatusDisk
	}{
		"NoTarget": {
			reason: `"/dev/" was taken for a disk to install on (D23)`,
			vmi:    volume(kubevirtv1.VolumeStatus{PersistentVolumeClaimInfo: claim("10Gi")}),
			want:   disk(func(d *vitistackv1alpha1.MachineStatusDisk) { d.VolumeMode = "Filesystem" }),
		},
		"NoClaim": {
			reason: "a volume without a word about its claim broke everything (T13)",
			vmi:    volume(kubevirtv1.VolumeStatus{Target: "vda"}),
			want:   disk(func(d *vitistackv1alpha1.MachineStatusDisk) { d.Device = "/dev/vda" }),
		},
		"NotWhole": {
			reason: "a size that is no whole number of bytes took all disks with it (D23)",
			vmi:    volume(kubevirtv1.VolumeStatus{Target: "vda", PersistentVolumeClaimInfo: claim("1500m")}),
			want: disk(func(d *vitistackv1alpha1.MachineStatusDisk) {
				d.Device, d.Size, d.VolumeMode = "/dev/vda", 2, "Filesystem"
			}),
		},
		"Huge": {
			reason: "nor may one that does not fit",
			vmi:    volume(kubevirtv1.VolumeStatus{PersistentVolumeClaimInfo: claim("1000E")}),
			want:   disk(func(d *vitistackv1alpha1.MachineStatusDisk) { d.Size, d.VolumeMode = 1<<63-1, "Filesystem" }),
		},
		"NotReported": {
			reason: "a disk of which the instance says nothing yet",
			vmi:    instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.VolumeStatus = nil }),
			want:   base,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := observed.Status(input(with(virtualMachine("Running"), tc.vmi))).Disks
			if diff := cmp.Diff([]vitistackv1alpha1.MachineStatusDisk{tc.want}, got); diff != "" {
				t.Errorf("\n%s\nDisks: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDiskKinds: what holds data is a disk, in the order of the spec; what configures is none.
func TestDiskKinds(t *testing.T) {
	vm := virtualMachine("Stopped", func(vm *kubevirtv1.VirtualMachine) {
		spec := &vm.Spec.Template.Spec
		spec.Volumes = []kubevirtv1.Volume{
			{Name: "config", VolumeSource: kubevirtv1.VolumeSource{ConfigMap: &kubevirtv1.ConfigMapVolumeSource{}}},
			{Name: "image", VolumeSource: kubevirtv1.VolumeSource{ContainerDisk: &kubevirtv1.ContainerDiskSource{}}},
			{Name: "claim", VolumeSource: kubevirtv1.VolumeSource{PersistentVolumeClaim: &kubevirtv1.PersistentVolumeClaimVolumeSource{
				PersistentVolumeClaimVolumeSource: corev1.PersistentVolumeClaimVolumeSource{ClaimName: "by-hand"},
			}}},
			{Name: "drive", VolumeSource: kubevirtv1.VolumeSource{
				CloudInitConfigDrive: &kubevirtv1.CloudInitConfigDriveSource{},
			}},
		}
		spec.Domain.Devices.Disks = []kubevirtv1.Disk{
			{Name: "image", DiskDevice: kubevirtv1.DiskDevice{CDRom: &kubevirtv1.CDRomTarget{Bus: "sata"}}},
			{Name: "claim", Serial: "S1", DiskDevice: kubevirtv1.DiskDevice{LUN: &kubevirtv1.LunTarget{Bus: "scsi"}}},
		}
	})
	want := []vitistackv1alpha1.MachineStatusDisk{{Name: "image", Type: "sata"},
		{Name: "claim", Type: "scsi", SerialNumber: "S1", PVCName: "by-hand"}}
	if diff := cmp.Diff(want, observed.Status(input(with(vm, nil))).Disks); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestConsumerReady is what a cluster's operator asks before it goes on: it must hold of a Machine
// that runs, and of no other.
func TestConsumerReady(t *testing.T) {
	ready := func(s vitistackv1alpha1.MachineStatus) bool {
		if s.Phase != vitistackv1alpha1.MachinePhaseRunning || len(s.PublicIPAddresses) == 0 ||
			len(s.NetworkInterfaces) == 0 {
			return false
		}
		for _, d := range s.Disks {
			if d.Device != "" && d.PVCName != "" {
				return true
			}
		}
		return false
	}
	ran := input(with(virtualMachine("Running"), instance(kubevirtv1.Running)))
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   bool
	}{
		"Running":  {reason: "it runs", in: ran, want: true},
		"Starting": {reason: "it does not yet", in: input(with(virtualMachine("Starting"), instance(kubevirtv1.Scheduled)))},
		"Stopped":  {reason: "it does not any more", in: input(after(ran), with(virtualMachine("Stopped"), nil))},
		"NoDevice": {
			reason: "its disk is not attached",
			in: input(with(virtualMachine("Running"), instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) {
				vmi.Status.VolumeStatus[1].Target = ""
			}))),
		},
		"Unreachable": {reason: "contact was lost, and the cluster on it must not fall apart",
			in: input(after(ran), contactLost("Unreachable", time.Hour)), want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := ready(observed.Status(tc.in)); got != tc.want {
				t.Errorf("\n%s\nwant %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}

// TestGuest is what the instance knows beyond the spec.
func TestGuest(t *testing.T) {
	got := observed.Status(input(with(virtualMachine("Running"),
		instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) {
			vmi.Spec.Hostname = "guest"
			vmi.Status.CurrentCPUTopology = &kubevirtv1.CPUTopology{Cores: 3, Sockets: 2}
			vmi.Status.Memory = &kubevirtv1.MemoryStatus{GuestCurrent: ptr.To(resource.MustParse("3Gi"))}
			vmi.Status.GuestOSInfo.VersionID = ""
		}))))
	want := []any{"guest", 6, int64(3 << 30), "24.04 LTS"}
	if diff := cmp.Diff(want, []any{got.Hostname, got.CPUs, got.Memory, got.OperatingSystemVersion}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestForeignConditions: those of other controllers stay, those that earlier releases left behind
// do not (D22).
func TestForeignConditions(t *testing.T) {
	in := input(with(virtualMachine("Running"), nil))
	theirs := vitistackv1alpha1.MachineCondition{Type: "BackupReady", Status: "True", Reason: "Done"}
	in.Machine.Status.Conditions = []vitistackv1alpha1.MachineCondition{{Type: "Unknown", Status: "False",
		Reason: "Failed to get"}, theirs, {}}
	got := observed.Status(in).Conditions
	if diff := cmp.Diff(theirs, got[0]); diff != "" || len(got) != 6 {
		t.Errorf("%d conditions; -want +got:\n%s", len(got), diff)
	}
}

// TestAdopted: a Machine that took over what it found says so for ever.
func TestAdopted(t *testing.T) {
	adopted := input(with(virtualMachine("Running"), nil), func(in *observed.Input) { in.Adopted = true })
	got := observed.Status(input(after(adopted), with(virtualMachine("Running"), nil)))
	if diff := cmp.Diff("Adopted", got.Condition("Placed").Reason); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCopies: objects that carry the Machine's labels and are not its own are told, and hurt
// nothing.
func TestCopies(t *testing.T) {
	runs := with(virtualMachine("Running"), instance(kubevirtv1.Running))
	copies := func(names ...string) func(*observed.Input) {
		return func(in *observed.Input) { in.Copies = names }
	}
	found := input(runs, copies("VirtualMachine web-copy in cluster-east"))
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   string // status/reason, "" for no condition
	}{
		"none was ever seen": {
			reason: "Most Machines have no copies, and so no condition about them.",
			in:     input(runs),
		},
		"one is there": {
			reason: "A clone keeps the labels of what it was made of.",
			in:     found,
			want:   "False/CopiesFound",
		},
		"it is gone": {
			reason: "The condition stays and becomes True, so that a person sees that it is over.",
			in:     input(after(found), runs),
			want:   "True/NoCopies",
		},
		"the cluster is silent": {
			reason: "Silence says nothing about copies.",
			in:     input(after(found), contactLost("Unreachable", time.Hour)),
			want:   "False/CopiesFound",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status, got := observed.Status(tc.in), ""
			if c := status.Condition(vitistackv1alpha1.ConditionNoCopies); c != nil {
				got = string(c.Status) + "/" + c.Reason
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nNoCopies: -want +got:\n%s", tc.reason, diff)
			}
			if ready := summarise(status).Ready; tc.in.Looked && ready != "True/Ready" {
				t.Errorf("\n%s\nReady: want True/Ready, got %s", tc.reason, ready)
			}
		})
	}
	one, other := input(runs, copies("b", "a", "a")), input(runs, copies("a", "b"))
	if diff := cmp.Diff(observed.Status(other), observed.Status(one)); diff != "" {
		t.Errorf("the order of copies is no news: -want +got:\n%s", diff)
	}
}
