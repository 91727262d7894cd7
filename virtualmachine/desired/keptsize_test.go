package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestKeptSize changes a class, or the Machine, after the virtual machine was made with 8 cores and
// 32 GiB of class medium.
func TestKeptSize(t *testing.T) {
	const gib = int64(1) << 30
	was := desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib}
	edited := machineClass("medium", 16, "64Gi")
	disabled := machineClass("medium", 8, "32Gi")
	disabled.Spec.Enabled = ptr.To(false)
	of := func(class string, cores int, memory int64) vitistackv1alpha1.MachineSpec {
		return vitistackv1alpha1.MachineSpec{MachineClass: class, CPU: vitistackv1alpha1.MachineCPU{Cores: cores},
			Memory: memory}
	}
	cases := map[string]struct {
		reason  string
		before  vitistackv1alpha1.MachineSpec
		after   vitistackv1alpha1.MachineSpec
		class   *vitistackv1alpha1.MachineClass
		want    desired.Size
		wantErr string
	}{
		"Edited": {
			reason: "a class that is edited resizes no virtual machine",
			before: of("medium", 0, 0), after: of("medium", 0, 0), class: edited, want: was,
		},
		"Disabled": {
			reason: "a class that is disabled stops no change of its Machines",
			before: of("medium", 0, 0), after: of("medium", 0, 0), class: disabled, want: was,
		},
		"Deleted": {
			reason: "a class that is deleted changes nothing, although medium is a built-in size, too",
			before: of("medium", 0, 0), after: of("medium", 0, 0), want: was,
		},
		"OwnNumber": {
			reason: "a number of the Machine's own is taken while the others stay what the class gave once",
			before: of("medium", 0, 0), after: of("medium", 0, 4*gib), class: edited,
			want: desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 4 * gib},
		},
		"TakenBack": {
			reason: "a number that the Machine takes back is the class's as it is now; the others stay",
			before: of("medium", 0, 4*gib), after: of("medium", 0, 0), class: edited,
			want: desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 64 * gib},
		},
		"TakenBackFromDisabled": {
			reason: "a number that is taken back needs a class that may be used",
			before: of("medium", 4, 0), after: of("medium", 0, 0), class: disabled, wantErr: "refusal/ClassDisabled",
		},
		"OtherClass": {
			reason: "a Machine that asks for another class gets that one's numbers",
			before: of("medium", 0, 0), after: of("small", 0, 0),
			want: desired.Size{Cores: 1, Sockets: 1, Threads: 1, Memory: gib},
		},
		"UnknownClass": {
			reason: "a Machine that asks for a class that is not there is told so",
			before: of("medium", 0, 0), after: of("huge", 0, 0), wantErr: "refusal/UnknownClass",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, after := machine("m", nil), machine("m", nil)
			before.Spec, after.Spec = tc.before, tc.after
			last, err := desired.NewWish(desired.Input{Machine: before, Class: machineClass("medium", 8, "32Gi"),
				Options: options()}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := desired.KeptSize(after, tc.class, last, options())
			if diff := cmp.Diff(tc.wantErr, reasonOf(err)); diff != "" {
				t.Errorf("\n%s\nKeptSize(...): -want error +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" && err == nil {
				t.Errorf("\n%s\nKeptSize(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAdoptedWish: the class of an adopted virtual machine may be long gone, and its size stays.
func TestAdoptedWish(t *testing.T) {
	m := machine("m", func(m *vitistackv1alpha1.Machine) { m.Spec.MachineClass = "retired" })
	vm := liveVM()
	vm.Spec.Template.Spec.Domain.CPU = &kubevirtv1.CPU{Cores: 3}
	in := desired.Input{Machine: m, Options: options()}
	adopted, err := desired.AdoptedWish(in, vm)
	if err != nil {
		t.Fatal(err)
	}
	now, err := desired.NewWish(in, &adopted)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(adopted.String(), now.String()); diff != "" || now.Cores != 3 {
		t.Errorf("want 3 cores and the wish as adopted, got %d; -want +got:\n%s", now.Cores, diff)
	}
}
