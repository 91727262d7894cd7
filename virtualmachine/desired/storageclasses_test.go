package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func TestCheckStorageClasses(t *testing.T) {
	disks := func(types ...string) (all []vitistackv1alpha1.MachineSpecDisk) {
		for i, diskType := range types {
			all = append(all, vitistackv1alpha1.MachineSpecDisk{Name: string(rune('a' + i)), SizeGB: 1, Type: diskType})
		}
		return all
	}
	fast := desired.StorageClasses{Listed: true, Names: []string{"fast"}}
	cases := map[string]struct {
		reason  string
		disks   []vitistackv1alpha1.MachineSpecDisk
		classes desired.StorageClasses
		last    *desired.Wish
		setting string
		want    string
	}{
		"EachNamed": {
			reason: "a cluster without a default class takes a Machine whose disks all name one",
			disks:  disks("fast", "fast"), classes: fast,
		},
		"OneUnnamed": {
			reason: "a disk that names no class needs a default one",
			disks:  disks("fast", "sata"), classes: fast, want: "refusal/StorageClassMissing",
		},
		"UnnamedAndThere": {
			reason: "a disk that exists has its storage already",
			disks:  disks("fast", "sata"), classes: fast, last: &desired.Wish{Disks: map[string]int64{"b": 1}},
		},
		"Default": {
			reason: "the default class of the cluster serves the disks that name none",
			disks:  disks("sata"), classes: desired.StorageClasses{Listed: true, HasDefault: true},
		},
		"SettingMissing": {
			reason: "a class that the setting names and the cluster does not have would leave the disk waiting",
			disks:  disks("sata"), classes: fast, setting: "slow", want: "refusal/StorageClassMissing",
		},
		"NotListed": {
			reason: "a cluster that does not let its classes be listed gets the benefit of the doubt",
			disks:  disks("sata"), setting: "slow",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := machine("m", func(m *vitistackv1alpha1.Machine) { m.Spec.Disks = tc.disks })
			err := desired.CheckStorageClasses(m, tc.classes, tc.last, desired.Options{StorageClassName: tc.setting})
			if diff := cmp.Diff(tc.want, reasonOf(err)); diff != "" {
				t.Errorf("\n%s\nCheckStorageClasses(...): -want error +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestUnlistedStorageClass: where classes cannot be listed, a type that is no bus is the class that
// was asked for.
func TestUnlistedStorageClass(t *testing.T) {
	m := machine("m", func(m *vitistackv1alpha1.Machine) {
		m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{SizeGB: 1, Type: "fast"}, {SizeGB: 1, Type: "NVMe"},
			{SizeGB: 1, Type: "Not a name"}}
	})
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: m, Options: options(), Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: "vm-m"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, template := range vm.Spec.DataVolumeTemplates {
		if class := template.Spec.Storage.StorageClassName; class != nil {
			got = append(got, *class)
		} else {
			got = append(got, "")
		}
	}
	if diff := cmp.Diff([]string{"fast", "", ""}, got); diff != "" {
		t.Errorf("-want storage classes +got:\n%s", diff)
	}
}
