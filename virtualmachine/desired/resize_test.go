package desired_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestResize changes a class after a virtual machine was made with 8 cores and 32 GiB of it, and asks
// for its sizes anew.
func TestResize(t *testing.T) {
	const gib = int64(1) << 30
	edited := machineClass("medium", 16, "64Gi")
	cases := map[string]struct {
		reason        string
		before, after string // the tokens
		spec          vitistackv1alpha1.MachineSpec
		class         *vitistackv1alpha1.MachineClass
		want          desired.Size
		wantToken     string
		wantErr       string
	}{
		"None": {
			reason: "without a token a class that is edited resizes nothing", class: edited,
			spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			want: desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib},
		},
		"New": {
			reason: "a new token takes the sizes of the class, and is carried by the virtual machine", after: "a", class: edited,
			spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			want: desired.Size{Cores: 16, Sockets: 1, Threads: 1, Memory: 64 * gib}, wantToken: "a",
		},
		"Again": {
			reason: "a token that is carried already takes nothing", before: "a", after: "a", class: edited,
			spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			want: desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib}, wantToken: "a",
		},
		"TakenAway": {
			reason: "a token that is taken away stays carried, so that it does nothing when it comes back", before: "a",
			class: edited, spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"},
			want: desired.Size{Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib}, wantToken: "a",
		},
		"OwnNumber": {
			reason: "what the Machine itself says counts before its class", after: "a", class: edited,
			spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium", Memory: 4 * gib},
			want: desired.Size{Cores: 16, Sockets: 1, Threads: 1, Memory: 4 * gib}, wantToken: "a",
		},
		"Gone": {
			reason: "a class that is gone gives no size, although a built-in one has its name", after: "a",
			spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"}, wantErr: "refusal/UnknownClass",
		},
		"DefaultGone": {
			reason: "a Machine that names no class has the one that gave its size", after: "a", wantErr: "refusal/UnknownClass",
		},
		"Long": {
			reason: "a token is bounded", after: strings.Repeat("a", 254), class: edited,
			spec: vitistackv1alpha1.MachineSpec{MachineClass: "medium"}, wantErr: "refusal/InvalidSpec",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := machine("web", func(m *vitistackv1alpha1.Machine) {
				m.Spec = tc.spec
				m.Annotations = map[string]string{vitistackv1alpha1.AnnotationResize: tc.after}
				if tc.after == "" {
					m.Annotations = nil
				}
			})
			asked := desired.SizeAsked{Class: tc.spec.MachineClass}
			last := desired.Wish{Class: "medium", Cores: 8, Sockets: 1, Threads: 1, Memory: 32 * gib, Asked: &asked,
				Resize: tc.before}
			got, err := desired.NewWish(desired.Input{Machine: m, Class: tc.class}, &last)
			if told := reasonOf(err); told != tc.wantErr {
				t.Fatalf("\n%s\nNewWish(...): want error %q, got %v", tc.reason, tc.wantErr, err)
			}
			if err != nil {
				return
			}
			size := desired.Size{Cores: got.Cores, Sockets: got.Sockets, Threads: got.Threads, Memory: got.Memory}
			if diff := cmp.Diff(tc.want, size); diff != "" || got.Resize != tc.wantToken || got.Class != "medium" {
				t.Errorf("\n%s\nNewWish(...): token %q, class %q, -want +got:\n%s", tc.reason, got.Resize, got.Class, diff)
			}
		})
	}
}
