package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func TestSizeFor(t *testing.T) {
	const gib = int64(1) << 30
	class := func(change func(*vitistackv1alpha1.MachineClass)) *vitistackv1alpha1.MachineClass {
		c := machineClass("medium", 8, "32Gi")
		if change != nil {
			change(c)
		}
		return c
	}
	cases := map[string]struct {
		reason  string
		spec    vitistackv1alpha1.MachineSpec
		class   *vitistackv1alpha1.MachineClass
		options desired.Options
		want    desired.Size
		wantErr string
	}{
		"Nothing": {reason: "no class, no numbers", want: desired.Size{Cores: 2, Sockets: 1, Threads: 1, Memory: 2 * gib}},
		"Small": {
			reason: "instance types of the specification are built in",
			spec:   vitistackv1alpha1.MachineSpec{InstanceType: "small"},
			want:   desired.Size{Cores: 1, Sockets: 1, Threads: 1, Memory: gib},
		},
		"Medium": {
			reason: "under either name", spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			want: desired.Size{Cores: 2, Sockets: 1, Threads: 1, Memory: 2 * gib},
		},
		"Large": {
			reason: "and under both", spec: vitistackv1alpha1.MachineSpec{MachineClass: "large", InstanceType: "large"},
			want: desired.Size{Cores: 4, Sockets: 1, Threads: 1, Memory: 4 * gib},
		},
		"Class": {
			reason: "a MachineClass of that name comes first", spec: vitistackv1alpha1.MachineSpec{InstanceType: "medium"},
			class: class(nil),
			want:  desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib},
		},
		"Differ": {
			reason:  "nobody can tell which one is meant",
			spec:    vitistackv1alpha1.MachineSpec{MachineClass: "large", InstanceType: "small"},
			wantErr: "refusal/ClassesDiffer",
		},
		"Unknown": {
			reason: "anything unknown was 1 CPU and 1 GiB once", spec: vitistackv1alpha1.MachineSpec{MachineClass: "huge"},
			wantErr: "refusal/UnknownClass",
		},
		"OtherClass": {
			reason: "a caller that hands in the wrong class", spec: vitistackv1alpha1.MachineSpec{MachineClass: "small"},
			class:   class(nil),
			wantErr: "refusal/UnknownClass",
		},
		"Disabled": {
			reason: "a disabled class is for nobody", spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			class:   class(func(c *vitistackv1alpha1.MachineClass) { c.Spec.Enabled = ptr.To(false) }),
			wantErr: "refusal/ClassDisabled",
		},
		"ProvidersUnset": {
			reason: "who does not say what they are called reads no lists",
			spec:   vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			class:  class(func(c *vitistackv1alpha1.MachineClass) { c.Spec.MachineProviders = []string{"proxmox"} }),
			want:   desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib},
		},
		"ProviderNotListed": {
			reason: "a class for another provider", spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			class:   class(func(c *vitistackv1alpha1.MachineClass) { c.Spec.MachineProviders = []string{"proxmox"} }),
			options: desired.Options{MachineProviders: []string{"kubevirt-provider"}}, wantErr: "refusal/ClassDisabled",
		},
		"ProviderListed": {
			reason: "a class for us among others", spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			class: class(func(c *vitistackv1alpha1.MachineClass) {
				c.Spec.MachineProviders = []string{"proxmox", "kubevirt-provider"}
			}),
			options: desired.Options{MachineProviders: []string{"kubevirt-provider"}},
			want:    desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib},
		},
		"Override": {
			reason: "each number for itself, memory in bytes and down to the MiB",
			spec: vitistackv1alpha1.MachineSpec{
				MachineClass: "medium", CPU: vitistackv1alpha1.MachineCPU{Sockets: 2, ThreadsPerCore: 2}, Memory: 3*gib + 5,
			},
			class: class(nil),
			want:  desired.Size{Cores: 8, Sockets: 2, Threads: 2, Memory: 3 * gib},
		},
		"MemoryInGiB": {
			reason: "8 meant 8 GiB to somebody", spec: vitistackv1alpha1.MachineSpec{Memory: 8}, wantErr: "refusal/InvalidSpec",
		},
		"NegativeMemory": {reason: "a definition of others may let it in", spec: vitistackv1alpha1.MachineSpec{Memory: -1},
			wantErr: "refusal/InvalidSpec"},
		"NegativeCores": {
			reason:  "a definition of others may let it in",
			spec:    vitistackv1alpha1.MachineSpec{CPU: vitistackv1alpha1.MachineCPU{Cores: -1}},
			wantErr: "refusal/InvalidSpec",
		},
		"ClassOverflow": {
			reason:  "more cores than fit in 32 bits must not become few",
			spec:    vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			class:   class(func(c *vitistackv1alpha1.MachineClass) { c.Spec.CPU.Cores = 1<<32 + 1 }),
			wantErr: "refusal/InvalidSpec",
		},
		"EmptyClass": {
			reason: "a class that says nothing leaves the usual size",
			spec:   vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			class:  class(func(c *vitistackv1alpha1.MachineClass) { c.Spec = vitistackv1alpha1.MachineClassSpec{} }),
			want:   desired.Size{Cores: 2, Sockets: 1, Threads: 1, Memory: 2 * gib},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := desired.SizeFor(machine("m", func(m *vitistackv1alpha1.Machine) {
				m.Spec = tc.spec
			}), tc.class, tc.options)
			if diff := cmp.Diff(tc.wantErr, reasonOf(err)); diff != "" {
				t.Fatalf("\n%s\nSizeFor(...): -want error +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nSizeFor(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
