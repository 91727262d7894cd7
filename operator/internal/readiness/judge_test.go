package readiness_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

const gi = int64(1 << 30)

// guest has something of everything: 2 CPUs and 4 Gi, one disk, one VLAN, one Secret, an instance
// type's preference, and kept state.
func guest() *kubevirtv1.VirtualMachine {
	return &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "vm-web", UID: "vm-uid", ResourceVersion: "7"},
		Spec: kubevirtv1.VirtualMachineSpec{
			Preference: &kubevirtv1.PreferenceMatcher{Name: "linux", RevisionName: "vm-web-linux-1"},
			DataVolumeTemplates: []kubevirtv1.DataVolumeTemplateSpec{{
				ObjectMeta: metav1.ObjectMeta{Name: "vm-web-root"},
				Spec: cdiv1beta1.DataVolumeSpec{Storage: &cdiv1beta1.StorageSpec{
					StorageClassName: ptr.To("fast"),
					AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
					Resources: corev1.VolumeResourceRequirements{
						Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
					},
				}},
			}},
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: kubevirtv1.VirtualMachineInstanceSpec{
				Architecture: "amd64",
				NodeSelector: map[string]string{"zone": "north"},
				Domain: kubevirtv1.DomainSpec{
					CPU:     &kubevirtv1.CPU{Cores: 2, Model: "Cascadelake-Server"},
					Memory:  &kubevirtv1.Memory{Guest: ptr.To(resource.MustParse("4Gi"))},
					Machine: &kubevirtv1.Machine{Type: "pc-q35-9.2"},
					Devices: kubevirtv1.Devices{
						TPM:         &kubevirtv1.TPMDevice{Persistent: ptr.To(true)},
						HostDevices: []kubevirtv1.HostDevice{{Name: "nic", DeviceName: "intel.com/vf"}},
					},
				},
				Networks: []kubevirtv1.Network{{
					Name: "vlan7", NetworkSource: kubevirtv1.NetworkSource{Multus: &kubevirtv1.MultusNetwork{NetworkName: "vlan7"}},
				}},
				Volumes: []kubevirtv1.Volume{
					{Name: "root", VolumeSource: kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: "vm-web-root"}}},
					{Name: "keys", VolumeSource: kubevirtv1.VolumeSource{Secret: &kubevirtv1.SecretVolumeSource{SecretName: "web-keys"}}},
				},
			}},
		},
		Status: kubevirtv1.VirtualMachineStatus{Ready: true},
	}
}

func needs(t testing.TB) readiness.Needs {
	t.Helper()
	n, err := readiness.NeedsOf(readiness.Input{
		VM:      guest(),
		Machine: &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{UID: "machine-uid"}},
		Network: vitistackv1alpha1.NetworkRecord{Attachments: []vitistackv1alpha1.Attachment{
			{Interface: "vlan7", NetworkAttachmentDefinition: "vlan7", VLAN: 7},
		}},
		Options: desired.Options{SupervisorUID: "supervisor-uid"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fitting are facts of a cluster that has all of it.
func fitting() readiness.Facts {
	node := readiness.Node{
		Name: "n1",
		Labels: map[string]string{
			kubevirtv1.NodeSchedulable: "true", corev1.LabelArchStable: "amd64", "zone": "north",
			kubevirtv1.CPUModelLabel + "Cascadelake-Server": "true", kubevirtv1.SupportedMachineTypeLabel + "pc-q35-9.2": "true",
		},
		Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("16"), corev1.ResourceMemory: resource.MustParse("64Gi"),
			"intel.com/vf": resource.MustParse("4"),
		},
		Free: readiness.Size{MilliCPU: 8000, MemoryBytes: 32 * gi},
	}
	return readiness.Facts{
		Config:     "east",
		Connection: readiness.Seen(readiness.Connection{Ready: true, Verified: true}, now),
		Door:       readiness.Seen(readiness.Door{Allowed: true}, now),
		Machines:   readiness.Seen(int64(50), now),
		KubeVirt:   readiness.Seen(readiness.KubeVirt{Ready: true, Version: "v1.8.2"}, now),
		Definitions: readiness.Seen([]readiness.Definition{
			{Object: "VirtualMachine vm-web", Name: "virtualmachines.kubevirt.io"},
		}, now),
		StorageClasses: readiness.Seen([]readiness.StorageClass{{Name: "fast", Default: true}}, now),
		Profiles: readiness.Seen(map[string][]readiness.ClaimSet{"fast": {{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, VolumeMode: corev1.PersistentVolumeBlock,
		}}}, now),
		Nodes:        readiness.Seen([]readiness.Node{node}, now),
		Namespace:    readiness.Seen(readiness.Namespace{Exists: true}, now),
		Attachments:  readiness.Seen(map[string]readiness.Attachment{"team-a/vlan7": {VLAN: 7}}, now),
		Quotas:       readiness.Seen([]corev1.ResourceQuota(nil), now),
		Limits:       readiness.Seen([]corev1.LimitRange(nil), now),
		Lacking:      readiness.Seen([]string(nil), now),
		Objects:      readiness.Seen(map[readiness.Object]bool{{Kind: "Secret", Name: "web-keys"}: true}, now),
		Instancetype: readiness.Seen(&readiness.Size{MilliCPU: 2000, MemoryBytes: 4 * gi}, now),
		Preference:   readiness.Seen(true, now),
		Name:         readiness.Seen[*readiness.Found](nil, now),
		Disks:        readiness.Seen([]readiness.Found(nil), now),
		DryRun:       readiness.Seen(readiness.DryRun{Accepted: true}, now),
	}
}

func quota(scope corev1.ResourceQuotaScope, name corev1.ResourceName, hard, used string) []corev1.ResourceQuota {
	q := corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Status: corev1.ResourceQuotaStatus{
		Hard: corev1.ResourceList{name: resource.MustParse(hard)},
		Used: corev1.ResourceList{name: resource.MustParse(used)},
	}}
	if scope != "" {
		q.Spec.Scopes = []corev1.ResourceQuotaScope{scope}
	}
	return []corev1.ResourceQuota{q}
}

func limit(kind corev1.LimitType, name corev1.ResourceName, most string) []corev1.LimitRange {
	return []corev1.LimitRange{{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: kind, Max: corev1.ResourceList{name: resource.MustParse(most)},
		}}},
	}}
}

// TestJudge changes one thing at a time in a cluster that fits.
func TestJudge(t *testing.T) {
	type edit = func(*readiness.Needs, *readiness.Facts)
	cases := map[string]struct {
		reason  string
		edit    edit
		check   string
		verdict readiness.Verdict
		because string
		says    string
	}{
		"all is there": {
			reason: "a cluster that has everything fits",
			edit:   func(*readiness.Needs, *readiness.Facts) {}, check: readiness.CheckRoom, verdict: readiness.OK, says: "4096 MiB and 200 mCPU",
		},
		"not connected": {
			reason: "silence is no no",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Connection.Value = readiness.Connection{Message: "no answer in time"}
			},
			check: readiness.CheckConnection, verdict: readiness.Unknown, because: readiness.ReasonNotConnected, says: "no answer in time",
		},
		"identity is not known": {
			reason: "no Machine is placed where nobody knows",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Connection.Value.Verified = false },
			check:  readiness.CheckConnection, verdict: readiness.Unknown, because: readiness.ReasonNotVerified,
		},
		"words of a hostile server": {
			reason: "what a server says is shown on one line, and moves no cursor",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.DryRun.Value = readiness.DryRun{Message: "no\x1b[2J\nand\u202e more" + strings.Repeat("x", 5000)}
			},
			check: readiness.CheckDryRun, verdict: readiness.No, because: readiness.ReasonRefused, says: "refuse it: no [2J and more",
		},
		"paused": {
			reason: "a cordoned cluster takes no new Machine",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Door.Value.Paused = true },
			check:  readiness.CheckDoor, verdict: readiness.No, because: readiness.ReasonPaused, says: "paused",
		},
		"terminating": {
			reason: "a cluster that is being taken out takes none",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Door.Value.Terminating = true },
			check:  readiness.CheckDoor, verdict: readiness.No, because: readiness.ReasonTerminating,
		},
		"not allowed": {
			reason: "a namespace that the cluster is not for stays out",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Door.Value.Allowed = false },
			check:  readiness.CheckDoor, verdict: readiness.No, because: readiness.ReasonNotAllowed, says: "team-a",
		},
		"name is taken": {
			reason: "the name of another virtual machine is no place",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Name.Value = &readiness.Found{UID: "other"} },
			check:  readiness.CheckName, verdict: readiness.No, because: readiness.ReasonNameTaken, says: "UID other",
		},
		"KubeVirt is broken": {
			reason: "nothing runs without KubeVirt",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.KubeVirt.Value = readiness.KubeVirt{Message: "KubeVirt is not installed"}
			},
			check: readiness.CheckKubeVirt, verdict: readiness.No, because: readiness.ReasonKubeVirt, says: "not installed",
		},
		"KubeVirt is too old": {
			reason: "a caller may ask for a version",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.MinKubeVirt = "1.8.3" },
			check:  readiness.CheckKubeVirt, verdict: readiness.No, because: readiness.ReasonKubeVirtOld, says: "v1.8.2",
		},
		"a gate is missing": {
			reason: "a caller may ask for gates",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.Gates = []string{"VMExport"} },
			check:  readiness.CheckKubeVirt, verdict: readiness.No, because: readiness.ReasonGate, says: "VMExport",
		},
		"namespace is going": {
			reason: "nothing can be made in a namespace that is being deleted",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Namespace.Value.Terminating = true },
			check:  readiness.CheckNamespace, verdict: readiness.No, because: readiness.ReasonTerminating,
		},
		"namespace is made": {
			reason: "the operator makes a namespace that is missing",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Namespace.Value = readiness.Namespace{} },
			check:  readiness.CheckNamespace, verdict: readiness.OK, says: "the operator makes",
		},
		"namespace may not be made": {
			reason: "where it may not, a person has to",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Namespace.Value, f.Lacking.Value = readiness.Namespace{}, []string{"create namespaces"}
			},
			check: readiness.CheckNamespace, verdict: readiness.No, because: readiness.ReasonNamespaceAbsent,
		},
		"right to make namespaces is not needed": {
			reason: "a right that is needed for nothing is not missed",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Lacking.Value = []string{"create namespaces"} },
			check:  readiness.CheckRights, verdict: readiness.OK,
		},
		"right is missing": {
			reason: "the write would be refused",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Lacking.Value = []string{"create virtualmachines.kubevirt.io"}
			},
			check: readiness.CheckRights, verdict: readiness.No, because: readiness.ReasonRights, says: "create virtualmachines.kubevirt.io",
		},
		"definition drops a field": {
			reason: "what the cluster would drop in silence is told; the dry run has no answer where the namespace is missing",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.DryRun.Value = readiness.DryRun{NoNamespace: true}
				f.Definitions.Value[0].Dropped = []string{"spec.template.spec.new"}
			},
			check: readiness.CheckDefinitions, verdict: readiness.No, because: readiness.ReasonFields, says: "spec.template.spec.new",
		},
		"definition is missing": {
			reason: "a cluster without the definition has no virtual machines",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.DryRun.Value, f.Definitions.Value[0].Absent = readiness.DryRun{NoNamespace: true}, true
			},
			check: readiness.CheckDefinitions, verdict: readiness.No, because: readiness.ReasonDefinition,
		},
		"storage class is missing": {
			reason: "a disk of a class that is not there would wait for ever",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				n.State = false
				f.StorageClasses.Value = []readiness.StorageClass{{Name: "slow"}}
			},
			check: readiness.CheckStorage, verdict: readiness.No, because: readiness.ReasonStorageClass, says: "wants storage class fast; there are: slow",
		},
		"no default class": {
			reason: "a disk without a class needs a default one",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				n.State, n.Disks[0].Class, f.StorageClasses.Value[0].Default = false, "", false
			},
			check: readiness.CheckStorage, verdict: readiness.No, because: readiness.ReasonStorageClass, says: "wants storage class default",
		},
		"type of the disk is a class there": {
			reason: "the type of a disk names a class where the cluster has it",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				n.State, n.Disks[0].Class, n.Disks[0].MayBeClass = false, "", "gold"
				f.StorageClasses.Value = []readiness.StorageClass{{Name: "gold"}}
			},
			check: readiness.CheckStorage, verdict: readiness.OK, says: "gold",
		},
		"mode is not offered": {
			reason: "a mode that was asked for has to be there",
			edit: func(n *readiness.Needs, _ *readiness.Facts) {
				n.Disks[0].Access = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
			},
			check: readiness.CheckModes, verdict: readiness.No, because: readiness.ReasonModes, says: "ReadWriteMany, and storage class fast offers ReadWriteOnce Block",
		},
		"mode is lost": {
			reason: "what a claim only has is told, and no reason to stay",
			edit: func(n *readiness.Needs, _ *readiness.Facts) {
				n.Disks[0].HasAccess = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
			},
			check: readiness.CheckModes, verdict: readiness.OK, says: "could not be migrated live",
		},
		"CDI knows no mode": {
			reason: "a disk that leaves its mode to CDI would never be made",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				n.Disks[0].Access, f.Profiles.Value["fast"] = nil, nil
			},
			check: readiness.CheckModes, verdict: readiness.No, because: readiness.ReasonModes, says: "asks for none",
		},
		"disk is another's": {
			reason: "KubeVirt would take that disk",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Disks.Value = []readiness.Found{{Object: "DataVolume vm-web-root"}}
			},
			check: readiness.CheckDisks, verdict: readiness.No, because: readiness.ReasonDiskTaken, says: "DataVolume vm-web-root",
		},
		"disk is its own": {
			reason: "a disk that an earlier attempt left is no obstacle",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Disks.Value = []readiness.Found{{Object: "DataVolume vm-web-root", Mine: true}}
			},
			check: readiness.CheckDisks, verdict: readiness.OK, says: "vm-web-root",
		},
		"no class for the state": {
			reason: "a TPM that is kept needs a claim",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.KubeVirt.Value.StateClass = "rwx" },
			check:  readiness.CheckState, verdict: readiness.No, because: readiness.ReasonStorageClass, says: "rwx",
		},
		"network is another VLAN": {
			reason: "a guest must not be put into another network",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Attachments.Value["team-a/vlan7"] = readiness.Attachment{VLAN: 8}
			},
			check: readiness.CheckNetworks, verdict: readiness.No, because: readiness.ReasonVLAN, says: "of VLAN 8 there, and has to be of 7",
		},
		"network is made": {
			reason: "the operator makes the networks of VLANs",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Attachments.Value = nil },
			check:  readiness.CheckNetworks, verdict: readiness.OK, says: "the operator makes team-a/vlan7",
		},
		"network of a person's": {
			reason: "a network that a person has made has to be made there too",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				f.Attachments.Value, n.Networks[0].Made = nil, false
			},
			check: readiness.CheckNetworks, verdict: readiness.No, because: readiness.ReasonNetwork, says: "team-a/vlan7",
		},
		"object is missing": {
			reason: "a Secret that a volume refers to does not come along",
			edit:   func(_ *readiness.Needs, f *readiness.Facts) { f.Objects.Value = nil },
			check:  readiness.CheckObjects, verdict: readiness.No, because: readiness.ReasonObject, says: "Secret web-keys",
		},
		"preference is missing": {
			reason: "KubeVirt admits a preference that it has not, and starts nothing",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Preference.Value = false
			},
			check: readiness.CheckInstancetype, verdict: readiness.No, because: readiness.ReasonPreference, says: "VirtualMachineClusterPreference linux",
		},
		"instance type is missing": {
			reason: "KubeVirt admits an instance type that it has not, and starts nothing",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				n.Instancetype = &readiness.Object{Kind: "VirtualMachineInstancetype", Name: "m1"}
				f.Instancetype.Value = nil
			},
			check: readiness.CheckInstancetype, verdict: readiness.No, because: readiness.ReasonInstancetype, says: "VirtualMachineInstancetype m1",
		},
		"another architecture": {
			reason: "a guest runs on its own architecture",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.Architecture = "arm64" },
			check:  readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "architecture arm64",
		},
		"CPU model": {
			reason: "a named CPU model has to be on a node",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.CPUModel = "Genoa" },
			check:  readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "CPU model Genoa",
		},
		"machine type": {
			reason: "a machine type that no node offers does not start",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.MachineType = "pc-q35-10.0" },
			check:  readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "pc-q35-10.0",
		},
		"device": {
			reason: "a device has to be on a node",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.Devices = []string{"nvidia.com/gpu"} },
			check:  readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "nvidia.com/gpu",
		},
		"selector": {
			reason: "a node selector has to find a node",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.Selector["zone"] = "south" },
			check:  readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "zone=south",
		},
		"affinity": {
			reason: "a required affinity has to find a node",
			edit: func(n *readiness.Needs, _ *readiness.Facts) {
				n.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
					RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
						MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "rack", Operator: corev1.NodeSelectorOpExists}},
					}}},
				}}
			},
			check: readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "affinity",
		},
		"taint": {
			reason: "a taint keeps a guest off that does not tolerate it",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Nodes.Value[0].Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
			},
			check: readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "taints",
		},
		"taint that is tolerated": {
			reason: "a toleration lets it in",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				f.Nodes.Value[0].Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
				n.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
			},
			check: readiness.CheckNodes, verdict: readiness.OK,
		},
		"no node has all of it": {
			reason: "the sum of several nodes is no room: a guest is on one",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				small := f.Nodes.Value[0]
				small.Free.MemoryBytes = 3 * gi
				f.Nodes.Value = []readiness.Node{small, small}
			},
			check: readiness.CheckRoom, verdict: readiness.No, because: readiness.ReasonNoRoom, says: "the emptiest suitable one has 3072 MiB",
		},
		"dedicated CPUs": {
			reason: "a dedicated CPU is a whole one",
			edit: func(n *readiness.Needs, f *readiness.Facts) {
				n.Dedicated, f.Nodes.Value[0].Free.MilliCPU = true, 1999
				f.Nodes.Value[0].Labels[kubevirtv1.DeprecatedCPUManager] = "true"
			},
			check: readiness.CheckRoom, verdict: readiness.No, because: readiness.ReasonNoRoom, says: "2000 mCPU",
		},
		"no dedicated CPUs": {
			reason: "KubeVirt asks for a node with a CPU manager",
			edit:   func(n *readiness.Needs, _ *readiness.Facts) { n.Dedicated = true },
			check:  readiness.CheckNodes, verdict: readiness.No, because: readiness.ReasonNoNode, says: "dedicated CPUs",
		},
		"overcommit": {
			reason: "a cluster that overcommits memory takes more",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.KubeVirt.Value.MemoryOvercommit, f.Nodes.Value[0].Free.MemoryBytes = 200, 2*gi
			},
			check: readiness.CheckRoom, verdict: readiness.OK, says: "2048 MiB",
		},
		"quota of memory": {
			reason: "the launcher's memory counts",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Quotas.Value = quota("", corev1.ResourceRequestsMemory, "8Gi", "5Gi")
			},
			check: readiness.CheckQuota, verdict: readiness.No, because: readiness.ReasonQuota, says: "small has 5Gi of requests.memory in use; it takes 4Gi more of at most 8Gi",
		},
		"quota of virtual machines": {
			reason: "the count of virtual machines counts",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Quotas.Value = quota("", "count/virtualmachines.kubevirt.io", "3", "3")
			},
			check: readiness.CheckQuota, verdict: readiness.No, because: readiness.ReasonQuota,
		},
		"quota of a class": {
			reason: "the storage of the class that a disk gets counts",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Quotas.Value = quota("", "fast.storageclass.storage.k8s.io/requests.storage", "10Gi", "1Gi")
			},
			check: readiness.CheckQuota, verdict: readiness.No, because: readiness.ReasonQuota, says: "10Gi more",
		},
		"quota of others": {
			reason: "a quota for Pods with a deadline does not count launchers",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Quotas.Value = quota(corev1.ResourceQuotaScopeTerminating, corev1.ResourceRequestsMemory, "1Gi", "1Gi")
			},
			check: readiness.CheckQuota, verdict: readiness.OK,
		},
		"limit of a container": {
			reason: "a guest that is larger than a container may be does not start",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Limits.Value = limit(corev1.LimitTypeContainer, corev1.ResourceMemory, "2Gi")
			},
			check: readiness.CheckLimits, verdict: readiness.No, because: readiness.ReasonLimit, says: "memory of a Container is 4Gi, and may be 2Gi",
		},
		"limit of a claim": {
			reason: "a disk that is larger than a claim may be is not made",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Limits.Value = limit(corev1.LimitTypePersistentVolumeClaim, corev1.ResourceStorage, "5Gi")
			},
			check: readiness.CheckLimits, verdict: readiness.No, because: readiness.ReasonLimit, says: "10Gi",
		},
		"API server refuses": {
			reason: "the API server has the last word",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.DryRun.Value = readiness.DryRun{Message: "admission webhook denied the request: no"}
			},
			check: readiness.CheckDryRun, verdict: readiness.No, because: readiness.ReasonRefused, says: "denied the request: no",
		},
		"API server cannot be asked": {
			reason: "without the namespace nothing can be created, not even dry",
			edit: func(_ *readiness.Needs, f *readiness.Facts) {
				f.Namespace.Value, f.DryRun.Value = readiness.Namespace{}, readiness.DryRun{NoNamespace: true}
			},
			check: readiness.CheckDryRun, verdict: readiness.Unknown, because: readiness.ReasonNamespaceAbsent,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n, f := needs(t), fitting()
			tc.edit(&n, &f)
			report := readiness.Judge(n, f, now)
			check, found := report.Check(tc.check)
			if !found || check.Verdict != tc.verdict || check.Reason != tc.because || !strings.Contains(check.Message, tc.says) {
				t.Errorf("%s: %+v", tc.reason, check)
			}
			if len(check.Message) > 1000 {
				t.Errorf("%s: %d bytes", tc.reason, len(check.Message))
			}
			for _, other := range report.Checks {
				if other.Name != tc.check && other.Verdict == readiness.No {
					t.Errorf("%s: another check says no: %+v", tc.reason, other)
				}
			}
			if (check.Verdict == readiness.OK || check.Minor) != (report.Verdict == readiness.OK) {
				t.Errorf("%s: the report says %s: %+v", tc.reason, report.Verdict, report.Checks)
			}
			if check.Verdict == readiness.No && (report.Score != 0 || check.Message == "" || tc.because == "") {
				t.Errorf("%s: a no has score %d: %+v", tc.reason, report.Score, check)
			}
		})
	}
}
