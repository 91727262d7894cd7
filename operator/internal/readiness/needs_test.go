package readiness_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestNeedsOf reads a virtual machine that has something of everything.
func TestNeedsOf(t *testing.T) {
	got := needs(t)
	if got.VM.UID != "" || got.VM.ResourceVersion != "" || got.VM.Status.Ready || got.VM.Spec.Preference.RevisionName != "" {
		t.Errorf("what the cluster wrote into it is still there: %+v", got.VM)
	}
	if len(got.Attachments) != 1 || got.VMUID != "vm-uid" {
		t.Errorf("%+v", got)
	}
	got.VM, got.Attachments = nil, nil
	want := readiness.Needs{
		VMUID: "vm-uid", MachineUID: "machine-uid", SupervisorUID: "supervisor-uid",
		Size:         readiness.Size{MilliCPU: 2000, MemoryBytes: 4 * gi},
		Architecture: "amd64", MachineType: "pc-q35-9.2", CPUModel: "Cascadelake-Server",
		Selector:   map[string]string{"zone": "north"},
		Devices:    []string{"intel.com/vf"},
		Preference: &readiness.Object{Kind: "VirtualMachineClusterPreference", Name: "linux"},
		Networks:   []readiness.Network{{Key: "team-a/vlan7", Made: true, VLAN: 7}},
		Disks: []readiness.Disk{{
			Name: "vm-web-root", Class: "fast", Bytes: 10 * gi,
			Access: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
		}},
		State:   true,
		Objects: []readiness.Object{{Kind: "Secret", Name: "web-keys"}},
		Rights: []readiness.Right{
			{Verb: "create", Group: "kubevirt.io", Resource: "virtualmachines", Namespace: "team-a"},
			{Verb: "create", Group: "k8s.cni.cncf.io", Resource: "network-attachment-definitions", Namespace: "team-a"},
			{Verb: "create", Resource: "namespaces"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNeedsOfClaims: the claim says how large a disk really is. Its class counts where nothing asks
// for one: an adopted virtual machine has claims and no templates.
func TestNeedsOfClaims(t *testing.T) {
	claim := corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "vm-web-root"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To("slow"), AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
		},
		Status: corev1.PersistentVolumeClaimStatus{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("12Gi")},
		},
	}
	for name, tc := range map[string]struct {
		templates bool
		class     string
		access    []corev1.PersistentVolumeAccessMode
	}{
		"made by a template": {templates: true, class: "fast", access: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}},
		"made by a person":   {class: "slow"},
	} {
		t.Run(name, func(t *testing.T) {
			vm := guest()
			if !tc.templates {
				vm.Spec.DataVolumeTemplates = nil
			}
			got, err := readiness.NeedsOf(readiness.Input{VM: vm, Claims: []corev1.PersistentVolumeClaim{claim}})
			if err != nil {
				t.Fatal(err)
			}
			want := []readiness.Disk{{
				Name: "vm-web-root", Class: tc.class, Bytes: 12 * gi, Access: tc.access,
				HasAccess: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
			}}
			if diff := cmp.Diff(want, got.Disks); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNeedsOfMachine derives the needs of a Machine that has no virtual machine yet.
func TestNeedsOfMachine(t *testing.T) {
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "web", UID: "machine-uid"},
		Spec: vitistackv1alpha1.MachineSpec{
			InstanceType: "medium",
			Disks:        []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 20, Type: "gold"}},
		},
	}
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: machine, Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: "vm-web"},
		StorageClasses: desired.StorageClasses{Listed: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readiness.NeedsOf(readiness.Input{VM: vm, Machine: machine})
	if err != nil {
		t.Fatal(err)
	}
	if got.Size != (readiness.Size{MilliCPU: 2000, MemoryBytes: 2 * gi}) || got.CPUModel != "host-model" || got.State {
		t.Errorf("%+v", got)
	}
	if len(got.Disks) != 1 || got.Disks[0].Bytes != 20*gi || got.Disks[0].MayBeClass != "gold" || got.Disks[0].Class != "" {
		t.Errorf("%+v", got.Disks)
	}
}

// TestNeedsOfNodes: what KubeVirt asks of nodes in labels is asked here too. Memory in huge pages is
// no other memory.
func TestNeedsOfNodes(t *testing.T) {
	vm := guest()
	domain := &vm.Spec.Template.Spec.Domain
	domain.CPU = &kubevirtv1.CPU{
		Cores: 4, DedicatedCPUPlacement: true, Realtime: &kubevirtv1.Realtime{},
		Features: []kubevirtv1.CPUFeature{{Name: "avx512f"}, {Name: "vmx", Policy: "disable"}},
	}
	domain.Memory.Hugepages = &kubevirtv1.Hugepages{PageSize: "1Gi"}
	domain.LaunchSecurity = &kubevirtv1.LaunchSecurity{SEV: &kubevirtv1.SEV{}}
	got, err := readiness.NeedsOf(readiness.Input{VM: vm})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"zone": "north", kubevirtv1.CPUFeatureLabel + "avx512f": "true",
		kubevirtv1.RealtimeLabel: "true", kubevirtv1.SEVLabel: "true",
	}
	if diff := cmp.Diff(want, got.Selector); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Size != (readiness.Size{MilliCPU: 4000}) || !got.Dedicated || got.Devices[0] != "hugepages-1Gi" {
		t.Errorf("%+v", got)
	}
}
