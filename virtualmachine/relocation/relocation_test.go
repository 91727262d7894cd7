package relocation_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/relocation"
)

var update = flag.Bool("update", false, "write the golden file instead of comparing with it")

// typical is a VirtualMachine as its API server has it: two disks of its own, one that somebody made
// beforehand, cloud-init, and what people wrote on it.
func typical() *kubevirtv1.VirtualMachine {
	block := corev1.PersistentVolumeBlock
	vm := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "vm-web", UID: "vm-1", ResourceVersion: "77", Generation: 5,
			Finalizers:      []string{"kubevirt.io/virtualMachineControllerFinalize"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Folder", Name: "of-the-source"}},
			ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "somebody"}},
			Labels: map[string]string{"team": "blue", vitistackv1alpha1.LabelMachineUID: "machine-1",
				vitistackv1alpha1.LabelSupervisorUID: "supervisor-1"},
			Annotations: map[string]string{
				"example.com/contact":                      "ops",
				"kubevirt.io/latest-observed-api-version":  "v1",
				"kubevirt.io/storage-observed-api-version": "v1",
				corev1.LastAppliedConfigAnnotation:         "{}",
				vitistackv1alpha1.AnnotationPlacementNonce: "n-1",
				vitistackv1alpha1.AnnotationMovedBy:        "move-0.token",
			},
		},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy:  ptr.To(kubevirtv1.RunStrategyAlways),
			Instancetype: &kubevirtv1.InstancetypeMatcher{Name: "small", RevisionName: "vm-web-small-1"},
			Preference:   &kubevirtv1.PreferenceMatcher{Name: "linux", RevisionName: "vm-web-linux-1"},
			DataVolumeTemplates: []kubevirtv1.DataVolumeTemplateSpec{
				{
					ObjectMeta: metav1.ObjectMeta{Name: "vm-web-root"},
					Spec: cdiv1beta1.DataVolumeSpec{
						Source: &cdiv1beta1.DataVolumeSource{Registry: &cdiv1beta1.DataVolumeSourceRegistry{}},
						Storage: &cdiv1beta1.StorageSpec{
							StorageClassName: ptr.To("fast"), VolumeMode: &block,
							AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
							Resources:   corev1.VolumeResourceRequirements{Requests: sized("10Gi")},
						},
					},
				},
				{
					ObjectMeta: metav1.ObjectMeta{Name: "vm-web-data"},
					Spec: cdiv1beta1.DataVolumeSpec{
						Source: &cdiv1beta1.DataVolumeSource{Blank: &cdiv1beta1.DataVolumeBlankImage{}},
						PVC: &corev1.PersistentVolumeClaimSpec{
							StorageClassName: ptr.To("slow"),
							AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
							Resources:        corev1.VolumeResourceRequirements{Requests: sized("1Gi")},
						},
					},
				},
			},
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{},
		},
		Status: kubevirtv1.VirtualMachineStatus{Created: true, Ready: true},
	}
	vm.Spec.Template.ObjectMeta.Labels = map[string]string{"app": "web"}
	spec := &vm.Spec.Template.Spec
	spec.Domain.Firmware = &kubevirtv1.Firmware{Serial: "serial-1"}
	spec.Domain.Devices.Disks = []kubevirtv1.Disk{{Name: "root"}, {Name: "data"}, {Name: "extra"}, {Name: "cloud-init"}}
	spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{{Name: "net-0", MacAddress: "02:00:00:00:00:01"}, {Name: "net-1"}}
	spec.Volumes = []kubevirtv1.Volume{
		{Name: "root", VolumeSource: kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: "vm-web-root"}}},
		{Name: "data", VolumeSource: kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: "vm-web-data"}}},
		{Name: "extra", VolumeSource: claimed("web-extra")},
		{Name: "cloud-init", VolumeSource: kubevirtv1.VolumeSource{
			CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{UserDataSecretRef: &corev1.LocalObjectReference{Name: "vm-web-init"}},
		}},
	}
	return vm
}

func claimed(name string) kubevirtv1.VolumeSource {
	return kubevirtv1.VolumeSource{PersistentVolumeClaim: &kubevirtv1.PersistentVolumeClaimVolumeSource{
		PersistentVolumeClaimVolumeSource: corev1.PersistentVolumeClaimVolumeSource{ClaimName: name},
	}}
}

func sized(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}

// running is the instance of typical.
func running() *kubevirtv1.VirtualMachineInstance {
	vm := typical()
	instance := &kubevirtv1.VirtualMachineInstance{Spec: *vm.Spec.Template.Spec.DeepCopy()}
	instance.Spec.Domain.Firmware = &kubevirtv1.Firmware{UUID: "5d307ca9-b3ef-428c-8861-06e72d69f223", Serial: "serial-1"}
	instance.Status.Interfaces = []kubevirtv1.VirtualMachineInstanceNetworkInterface{
		{Name: "net-0", MAC: "02:00:00:00:00:01"}, {Name: "net-1", MAC: "02:00:00:00:00:02"},
	}
	return instance
}

// claim is one with a size and a storage class.
func claim(name, capacity, class string) corev1.PersistentVolumeClaim {
	return corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class,
			Resources: corev1.VolumeResourceRequirements{Requests: sized("1Gi")}},
		Status: corev1.PersistentVolumeClaimStatus{Capacity: sized(capacity)},
	}
}

// with is the input of typical, changed.
func with(changes ...func(*relocation.Input)) relocation.Input {
	in := relocation.Input{
		VM: typical(), Instance: running(),
		Claims: map[string]corev1.PersistentVolumeClaim{
			"vm-web-root": claim("vm-web-root", "10Gi", "fast"), "vm-web-data": claim("vm-web-data", "2Gi", "slow"),
			"web-extra": claim("web-extra", "3Gi", "special"),
		},
		StorageClasses: desired.StorageClasses{Listed: true, Names: []string{"fast", "slow"}, HasDefault: true},
		Labels: map[string]string{vitistackv1alpha1.LabelMachineUID: "machine-1",
			vitistackv1alpha1.LabelSupervisorUID: "supervisor-1"},
		Move: "move-1", Nonce: "n-2", Fence: "token.5", CA: "move-1-ca", Header: "move-1-header",
		URLs: map[string]string{},
	}
	for name := range in.Claims {
		in.URLs[name] = "https://export.example.com/" + name + "/disk.img.gz"
	}
	for _, change := range changes {
		change(&in)
	}
	return in
}

func mustMake(t *testing.T, in relocation.Input) *kubevirtv1.VirtualMachine {
	t.Helper()
	vm, err := relocation.VirtualMachine(in)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func TestGolden(t *testing.T) {
	in := with()
	got, err := yaml.Marshal(mustMake(t, in))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "typical.yaml")
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
		t.Errorf("-want +got (refresh with -update):\n%s", diff)
	}
	if diff := cmp.Diff(with(), in); diff != "" {
		t.Errorf("the input was changed: -want +got:\n%s", diff)
	}
}

func TestVirtualMachine(t *testing.T) {
	halted := []any{(*bool)(nil), ptr.To(kubevirtv1.RunStrategyHalted)}
	cases := map[string]struct {
		reason string
		change func(*relocation.Input)
		got    func(*kubevirtv1.VirtualMachine) any
		want   any
	}{
		"Off": {
			reason: "Nothing starts before its disks are there.",
			got:    func(vm *kubevirtv1.VirtualMachine) any { return []any{vm.Spec.Running, vm.Spec.RunStrategy} },
			want:   halted,
		},
		"OffThoughRunningWasTrue": {
			reason: "The older field would contradict the run strategy, which KubeVirt refuses.",
			change: func(in *relocation.Input) { in.VM.Spec.Running, in.VM.Spec.RunStrategy = ptr.To(true), nil },
			got:    func(vm *kubevirtv1.VirtualMachine) any { return []any{vm.Spec.Running, vm.Spec.RunStrategy} },
			want:   halted,
		},
		"FirmwareThatTheInstanceHas": {
			reason: "KubeVirt gave the UUID to the instance alone, and the guest knows itself by it.",
			got:    func(vm *kubevirtv1.VirtualMachine) any { return *vm.Spec.Template.Spec.Domain.Firmware },
			want:   kubevirtv1.Firmware{UUID: "5d307ca9-b3ef-428c-8861-06e72d69f223", Serial: "serial-1"},
		},
		"FirmwareThatTheInstanceAloneHas": {
			reason: "The VirtualMachine has no firmware at all.",
			change: func(in *relocation.Input) { in.VM.Spec.Template.Spec.Domain.Firmware = nil },
			got:    func(vm *kubevirtv1.VirtualMachine) any { return *vm.Spec.Template.Spec.Domain.Firmware },
			want:   kubevirtv1.Firmware{UUID: "5d307ca9-b3ef-428c-8861-06e72d69f223", Serial: "serial-1"},
		},
		"FirmwareThatWasChangedSince": {
			reason: "What the VirtualMachine says counts at the next start, so also here.",
			change: func(in *relocation.Input) {
				in.VM.Spec.Template.Spec.Domain.Firmware = &kubevirtv1.Firmware{UUID: "new", Serial: "other"}
			},
			got:  func(vm *kubevirtv1.VirtualMachine) any { return *vm.Spec.Template.Spec.Domain.Firmware },
			want: kubevirtv1.Firmware{UUID: "new", Serial: "other"},
		},
		"FirmwareWithoutAnInstance": {
			reason: "Where no instance was seen the VirtualMachine's own is all there is.",
			change: func(in *relocation.Input) { in.Instance = nil },
			got:    func(vm *kubevirtv1.VirtualMachine) any { return *vm.Spec.Template.Spec.Domain.Firmware },
			want:   kubevirtv1.Firmware{Serial: "serial-1"},
		},
		"MACs": {
			reason: "One address is written down, the other one the running instance was given.",
			got:    macs, want: []string{"02:00:00:00:00:01", "02:00:00:00:00:02"},
		},
		"MACsOfTheInstancesSpec": {
			reason: "What the instance asked for comes before what the guest's agent reports.",
			change: func(in *relocation.Input) {
				in.Instance.Spec.Domain.Devices.Interfaces[1].MacAddress = "02:00:00:00:00:03"
			},
			got: macs, want: []string{"02:00:00:00:00:01", "02:00:00:00:00:03"},
		},
		"MACsWithoutAnInstance": {
			reason: "An address that nobody wrote down is given anew.",
			change: func(in *relocation.Input) { in.Instance = nil },
			got:    macs, want: []string{"02:00:00:00:00:01", ""},
		},
		"Revisions": {
			reason: "A revision is an object of the source cluster; the target makes its own.",
			got: func(vm *kubevirtv1.VirtualMachine) any {
				return []any{*vm.Spec.Instancetype, *vm.Spec.Preference}
			},
			want: []any{kubevirtv1.InstancetypeMatcher{Name: "small"}, kubevirtv1.PreferenceMatcher{Name: "linux"}},
		},
		"Labels": {
			reason: "What people wrote stays, and the Machine's labels win over a copy of another's.",
			change: func(in *relocation.Input) { in.VM.Labels[vitistackv1alpha1.LabelMachineUID] = "forged" },
			got:    func(vm *kubevirtv1.VirtualMachine) any { return vm.Labels },
			want: map[string]string{"team": "blue", vitistackv1alpha1.LabelMachineUID: "machine-1",
				vitistackv1alpha1.LabelSupervisorUID: "supervisor-1"},
		},
		"LabelsOfTheTemplate": {
			reason: "Services of the guest's cluster choose by them.",
			got:    func(vm *kubevirtv1.VirtualMachine) any { return vm.Spec.Template.ObjectMeta.Labels },
			want: map[string]string{"app": "web", vitistackv1alpha1.LabelMachineUID: "machine-1",
				vitistackv1alpha1.LabelSupervisorUID: "supervisor-1"},
		},
		"Annotations": {
			reason: "What people wrote stays; what KubeVirt saw and kubectl applied is of the source; the fence is new.",
			got:    func(vm *kubevirtv1.VirtualMachine) any { return vm.Annotations },
			want: map[string]string{"example.com/contact": "ops", vitistackv1alpha1.AnnotationPlacementNonce: "n-2",
				vitistackv1alpha1.AnnotationMovedBy: "move-1", vitistackv1alpha1.AnnotationMoveFence: "token.5"},
		},
		"NoAnnotations": {
			reason: "A VirtualMachine without any gets those of the move.",
			change: func(in *relocation.Input) { in.VM.Annotations = nil },
			got:    func(vm *kubevirtv1.VirtualMachine) any { return len(vm.Annotations) },
			want:   3,
		},
		"NothingOfTheServer": {
			reason: "UIDs, versions, owners, finalizers and the status are of the source alone.",
			got: func(vm *kubevirtv1.VirtualMachine) any {
				return []any{vm.UID, vm.ResourceVersion, vm.Generation, len(vm.Finalizers), len(vm.OwnerReferences),
					len(vm.ManagedFields), vm.Status.Created, vm.Status.Ready}
			},
			want: []any{metav1.ObjectMeta{}.UID, "", int64(0), 0, 0, 0, false, false},
		},
		"ClaimBecomesADataVolume": {
			reason: "KubeVirt makes the DataVolumes of templates alone, and waits for those that volumes name.",
			got: func(vm *kubevirtv1.VirtualMachine) any {
				return vm.Spec.Template.Spec.Volumes[2].VolumeSource
			},
			want: kubevirtv1.VolumeSource{DataVolume: &kubevirtv1.DataVolumeSource{Name: "web-extra"}},
		},
		"Sizes": {
			reason: "A disk is as large as the claim is, whatever was asked for: less would not hold it.",
			got: func(vm *kubevirtv1.VirtualMachine) any {
				var sizes []string
				for _, template := range vm.Spec.DataVolumeTemplates {
					sizes = append(sizes, template.Spec.Storage.Resources.Requests.Storage().String())
				}
				return sizes
			},
			want: []string{"10Gi", "2Gi", "3Gi"},
		},
		"StorageClasses": {
			reason: "What the templates ask for is kept, and a claim's class that the target lacks is left to its default.",
			got:    classes, want: []string{"fast", "slow", ""},
		},
		"StorageClassOfAClaim": {
			reason: "The target has the class of the claim that somebody made.",
			change: func(in *relocation.Input) { in.StorageClasses.Names = append(in.StorageClasses.Names, "special") },
			got:    classes, want: []string{"fast", "slow", "special"},
		},
		"StorageClassThatWasAskedFor": {
			reason: "A person asked for that class; another one is not what was asked for, and the target says what is missing.",
			change: func(in *relocation.Input) { in.StorageClasses.Names = nil },
			got:    classes, want: []string{"fast", "slow", ""},
		},
		"Modes": {
			reason: "What the templates ask for is kept, of a claim the target's storage profile decides.",
			got: func(vm *kubevirtv1.VirtualMachine) any {
				var modes []string
				for _, template := range vm.Spec.DataVolumeTemplates {
					storage := template.Spec.Storage
					modes = append(modes, fmt.Sprint(storage.AccessModes, " ", ptr.Deref(storage.VolumeMode, "")))
				}
				return modes
			},
			want: []string{"[ReadWriteMany] Block", "[ReadWriteOnce] ", "[] "},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := with()
			if tc.change != nil {
				tc.change(&in)
			}
			if diff := cmp.Diff(tc.want, tc.got(mustMake(t, in))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func macs(vm *kubevirtv1.VirtualMachine) any {
	var all []string
	for _, nic := range vm.Spec.Template.Spec.Domain.Devices.Interfaces {
		all = append(all, nic.MacAddress)
	}
	return all
}

func classes(vm *kubevirtv1.VirtualMachine) any {
	var all []string
	for _, template := range vm.Spec.DataVolumeTemplates {
		all = append(all, ptr.Deref(template.Spec.Storage.StorageClassName, ""))
	}
	return all
}

func TestRefusals(t *testing.T) {
	cases := map[string]struct {
		reason       string
		change       func(*relocation.Input)
		gives, tells string
	}{
		"NoLink": {
			reason: "A disk without a link would be made empty.",
			change: func(in *relocation.Input) { delete(in.URLs, "vm-web-data") },
			gives:  vitistackv1alpha1.ReasonExportUnavailable, tells: "the export has no link for disk data (vm-web-data)",
		},
		"NoClaim": {
			reason: "A disk whose claim is gone cannot be copied.",
			change: func(in *relocation.Input) { delete(in.Claims, "web-extra") },
			gives:  vitistackv1alpha1.ReasonCannotMove, tells: "the PersistentVolumeClaim web-extra of disk extra does not exist",
		},
		"TwoVolumesOfOneClaim": {
			reason: "Two templates of one name are refused by KubeVirt.",
			change: func(in *relocation.Input) { in.VM.Spec.Template.Spec.Volumes[2].VolumeSource = claimed("vm-web-data") },
			gives:  vitistackv1alpha1.ReasonCannotMove, tells: "two volumes share the PersistentVolumeClaim vm-web-data",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			vm, err := relocation.VirtualMachine(with(tc.change))
			reason, message := refused(t, err)
			if diff := cmp.Diff([]string{tc.gives, tc.tells}, []string{reason, message}); diff != "" || vm != nil {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestDisks(t *testing.T) {
	in := with()
	got, err := relocation.Disks(in.VM, in.Claims)
	if err != nil {
		t.Fatal(err)
	}
	want := []relocation.Disk{
		{Volume: "root", Claim: "vm-web-root", Bytes: 10 << 30}, {Volume: "data", Claim: "vm-web-data", Bytes: 2 << 30},
		{Volume: "extra", Claim: "web-extra", Bytes: 3 << 30},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if disks, err := relocation.Disks(&kubevirtv1.VirtualMachine{}, nil); err != nil || disks != nil {
		t.Errorf("a VirtualMachine without a template has disks: %v, %v", disks, err)
	}
}

func TestSizeOf(t *testing.T) {
	bound := claim("bound", "2Gi", "fast")
	unbound := bound
	unbound.Status.Capacity = nil
	for name, tc := range map[string]struct {
		reason string
		claim  corev1.PersistentVolumeClaim
		want   int64
	}{
		"Bound":   {reason: "A volume may be larger than was asked for.", claim: bound, want: 2 << 30},
		"Unbound": {reason: "A claim that has no volume yet says what it asks for.", claim: unbound, want: 1 << 30},
		"Empty":   {reason: "Nothing is known of the size."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := relocation.SizeOf(tc.claim); got != tc.want {
				t.Errorf("%s\n-want %d +got %d", tc.reason, tc.want, got)
			}
		})
	}
}

func TestGivenMAC(t *testing.T) {
	for name, tc := range map[string]struct {
		reason   string
		instance *kubevirtv1.VirtualMachineInstance
		nic      string
		want     string
	}{
		"NoInstance": {reason: "A guest that is off has no address to tell.", nic: "net-0"},
		"Spec":       {reason: "It was asked for.", instance: running(), nic: "net-0", want: "02:00:00:00:00:01"},
		"Status":     {reason: "KubeVirt chose it.", instance: running(), nic: "net-1", want: "02:00:00:00:00:02"},
		"Unknown":    {reason: "There is no such interface.", instance: running(), nic: "net-2"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := relocation.GivenMAC(tc.instance, tc.nic); got != tc.want {
				t.Errorf("%s\n-want %q +got %q", tc.reason, tc.want, got)
			}
		})
	}
}

// TestEveryVolumeGoes: whatever disks a VirtualMachine has, the target has each volume under the same
// name and in the same order, and each disk comes from the source and from nowhere else. It makes
// 2000 VirtualMachines from a fixed seed.
func TestEveryVolumeGoes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's, which has to repeat itself
	disks := 0
	for range 2000 {
		in := with(func(in *relocation.Input) { shuffleDisks(random, in) })
		vm := mustMake(t, in)
		name := func(v kubevirtv1.Volume) string { return v.Name }
		was, is := in.VM.Spec.Template.Spec.Volumes, vm.Spec.Template.Spec.Volumes
		if diff := cmp.Diff(each(was, name), each(is, name)); diff != "" {
			t.Fatalf("volumes: -source +target:\n%s", diff)
		}
		var wanted []string
		for i := range was {
			source := desired.ClaimName(in.VM, was[i].Name)
			if target := desired.ClaimName(vm, is[i].Name); target != source || (source != "") != (is[i].DataVolume != nil) {
				t.Fatalf("volume %s is %q in the source and %q in the target", was[i].Name, source, target)
			}
			if source == "" {
				if diff := cmp.Diff(was[i], is[i]); diff != "" {
					t.Fatalf("what is no disk was changed: -source +target:\n%s", diff)
				}
				continue
			}
			wanted = append(wanted, source)
		}
		made := each(vm.Spec.DataVolumeTemplates, func(t kubevirtv1.DataVolumeTemplateSpec) string { return t.Name })
		if diff := cmp.Diff(wanted, made); diff != "" {
			t.Fatalf("templates: -want +got:\n%s", diff)
		}
		for _, template := range vm.Spec.DataVolumeTemplates {
			only := &cdiv1beta1.DataVolumeSource{HTTP: &cdiv1beta1.DataVolumeSourceHTTP{
				URL: in.URLs[template.Name], CertConfigMap: in.CA, SecretExtraHeaders: []string{in.Header},
			}}
			if diff := cmp.Diff(only, template.Spec.Source); diff != "" || template.Spec.SourceRef != nil || template.Spec.PVC != nil {
				t.Fatalf("template %s has another source: -want +got:\n%s", template.Name, diff)
			}
		}
		disks += len(made)
	}
	if disks < 4000 {
		t.Errorf("%d disks are too few for this to prove anything", disks)
	}
}

func each[T any](all []T, of func(T) string) []string {
	var texts []string
	for _, one := range all {
		texts = append(texts, of(one))
	}
	return texts
}

// shuffleDisks gives a VirtualMachine volumes of all kinds that can go, and templates that are behind
// some of them, or behind none.
func shuffleDisks(random *rand.Rand, in *relocation.Input) {
	spec := &in.VM.Spec.Template.Spec
	spec.Volumes, spec.Domain.Devices.Disks, in.VM.Spec.DataVolumeTemplates, in.Instance = nil, nil, nil, nil
	for i := range random.IntN(10) {
		name, disk := fmt.Sprintf("volume-%d", i), fmt.Sprintf("disk-%d", i)
		var source kubevirtv1.VolumeSource
		switch random.IntN(5) {
		case 0:
			source.DataVolume = &kubevirtv1.DataVolumeSource{Name: disk}
		case 1:
			source.DataVolume = &kubevirtv1.DataVolumeSource{Name: disk}
			template := typical().Spec.DataVolumeTemplates[random.IntN(2)]
			template.Name = disk
			in.VM.Spec.DataVolumeTemplates = append(in.VM.Spec.DataVolumeTemplates, template)
		case 2:
			source = claimed(disk)
		case 3:
			source.ContainerDisk = &kubevirtv1.ContainerDiskSource{Image: disk}
		case 4:
			source.EmptyDisk = &kubevirtv1.EmptyDiskSource{Capacity: resource.MustParse("1Gi")}
		}
		in.Claims[disk], in.URLs[disk] = claim(disk, "1Gi", "fast"), "https://export.example.com/"+disk
		spec.Volumes = append(spec.Volumes, kubevirtv1.Volume{Name: name, VolumeSource: source})
	}
	volumes := spec.Volumes
	random.Shuffle(len(volumes), func(i, j int) { volumes[i], volumes[j] = volumes[j], volumes[i] })
	slices.Reverse(in.VM.Spec.DataVolumeTemplates)
}
