package observed

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/randfill"
)

// filler fills whatever it is given: each field now and then.
func filler(seed int64) *randfill.Filler {
	return randfill.NewWithSeed(seed).NilChance(0.3).NumElements(0, 4).MaxDepth(14).Funcs(
		func(q *resource.Quantity, c randfill.Continue) {
			*q = *resource.NewQuantity(c.Int63n(1<<40), resource.BinarySI)
		},
	)
}

// trimmed are a VirtualMachine and an instance with whatever a server may send, trimmed.
func trimmed(seed int64) (*kubevirtv1.VirtualMachine, *kubevirtv1.VirtualMachineInstance) {
	fill := filler(seed)
	vm, vmi := &kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}
	fill.Fill(vm)
	fill.Fill(vmi)
	ground(vm, vmi, fill)
	trim := &Trimmer{}
	trim.trimVM(vm)
	trim.trimInstance(vmi)
	return vm, vmi
}

// TestPackingLosesNothing: what is unpacked is what was trimmed, whatever a server sends.
func TestPackingLosesNothing(t *testing.T) {
	volumes := map[volumeKind]bool{}
	for seed := range int64(500) {
		vm, vmi := trimmed(seed)
		packedVM, packedInstance := packVM(vm.DeepCopy()), packInstance(vmi.DeepCopy())
		for what, diff := range map[string]string{
			"VirtualMachine": cmp.Diff(runtime.Object(vm), packedVM.Unpack()),
			"instance":       cmp.Diff(runtime.Object(vmi), packedInstance.Unpack()),
			"metadata":       cmp.Diff(vm.ObjectMeta, packedVM.ObjectMeta),
		} {
			if diff != "" {
				t.Fatalf("seed %d: %s: -trimmed +unpacked:\n%s", seed, what, diff)
			}
		}
		if template := packedVM.facts.template; template != nil {
			for _, v := range template.volumes {
				volumes[v.kind] = true
			}
		}
	}
	for kind := volumeDataVolume; kind <= volumeConfigDrive; kind++ {
		if !volumes[kind] {
			t.Errorf("no volume was of kind %d: the test compares too little", kind)
		}
	}
}

// ground makes lists of what is kept hang together: disks of the volumes, and a template.
func ground(vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance, fill *randfill.Filler) {
	var volumes [6]kubevirtv1.Volume
	volumes[0].DataVolume = &kubevirtv1.DataVolumeSource{Name: "data"}
	volumes[1].PersistentVolumeClaim = &kubevirtv1.PersistentVolumeClaimVolumeSource{}
	volumes[1].PersistentVolumeClaim.ClaimName = "claim"
	volumes[2].EmptyDisk = &kubevirtv1.EmptyDiskSource{}
	volumes[3].CloudInitNoCloud = &kubevirtv1.CloudInitNoCloudSource{}
	volumes[4].CloudInitConfigDrive = &kubevirtv1.CloudInitConfigDriveSource{}
	fill.Fill(&volumes[3].CloudInitNoCloud.UserDataSecretRef)
	fill.Fill(&volumes[4].CloudInitConfigDrive.NetworkDataSecretRef)
	fill.Fill(&volumes[5])
	if vm.Spec.Template == nil {
		return
	}
	for _, spec := range []*kubevirtv1.VirtualMachineInstanceSpec{&vm.Spec.Template.Spec, &vmi.Spec} {
		spec.Volumes = append(spec.Volumes, volumes[:]...)
		for i := range spec.Volumes {
			disk := kubevirtv1.Disk{}
			fill.Fill(&disk)
			disk.Name = spec.Volumes[i].Name
			spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, disk)
		}
	}
}

// TestUnpackedIsTheReaders: changing what a cache hands out changes nothing in it.
func TestUnpackedIsTheReaders(t *testing.T) {
	for seed := range int64(200) {
		vm, vmi := trimmed(seed)
		for _, held := range []runtime.Object{packVM(vm), packInstance(vmi)} {
			before, read := held.DeepCopyObject(), held.DeepCopyObject()
			scribble(reflect.ValueOf(read))
			if diff := cmp.Diff(before, held.DeepCopyObject()); diff != "" {
				t.Fatalf("seed %d: -before +after:\n%s", seed, diff)
			}
		}
	}
}

// scribble overwrites all that can be reached.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			scribble(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
			v.Index(i).SetZero()
		}
	case reflect.Map:
		v.Clear()
	default:
		if v.CanSet() {
			v.SetZero()
		}
	}
}
