package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func TestSelectNetworkNamespace(t *testing.T) {
	nn := func(namespace, name string) vitistackv1alpha1.NetworkNamespace {
		return vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	}
	cases := map[string]struct {
		reason  string
		named   string
		all     []vitistackv1alpha1.NetworkNamespace
		want    string
		wantErr string
	}{
		"None": {reason: "the pod network"},
		"Named": {reason: "the one that the Machine names", named: "b",
			all: []vitistackv1alpha1.NetworkNamespace{nn("team-a", "a"), nn("team-a", "b")}, want: "b"},
		"Missing": {reason: "and no other one in its place", named: "b",
			all: []vitistackv1alpha1.NetworkNamespace{nn("team-a", "a")}, wantErr: "wait/NetworkNamespaceNotFound"},
		"Elsewhere": {reason: "nor one of another namespace", named: "b",
			all: []vitistackv1alpha1.NetworkNamespace{nn("team-b", "b")}, wantErr: "wait/NetworkNamespaceNotFound"},
		"Only": {reason: "the only one of the namespace",
			all: []vitistackv1alpha1.NetworkNamespace{nn("team-b", "b"), nn("team-a", "a")}, want: "a"},
		"OwnName": {reason: "older Machines had one of their own name",
			all: []vitistackv1alpha1.NetworkNamespace{nn("team-a", "a"), nn("team-a", "m")}, want: "m"},
		"Several": {
			reason:  "the first of the list was the wrong one (T19)",
			all:     []vitistackv1alpha1.NetworkNamespace{nn("team-a", "a"), nn("team-a", "b")},
			wantErr: "refusal/NetworkNamespaceAmbiguous",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := machine("m", func(m *vitistackv1alpha1.Machine) { m.Spec.Network.NetworkNamespaceName = tc.named })
			nn, err := desired.SelectNetworkNamespace(m, "", tc.all)
			got := ""
			if nn != nil {
				got = nn.Name
			}
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, reasonOf(err)}); diff != "" {
				t.Errorf("\n%s\nSelectNetworkNamespace(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestNetworkFor(t *testing.T) {
	renumbered := staticNetwork(20)
	renumbered.Status.VlanID = 10
	fromStatus := staticNetwork(0)
	fromStatus.Status.VlanID = 10
	untagged := staticNetwork(0)
	untagged.Status = vitistackv1alpha1.NetworkNamespaceStatus{}
	static := desired.Network{
		NetworkNamespace: "team-a", Provider: "static-ip-operator", VLAN: 10, Static: true,
		CIDR: "10.0.1.0/24", Gateway: "10.0.1.1", DNS: []string{"10.0.1.2"},
	}
	at20, at0 := static, static
	at20.VLAN, at0.VLAN = 20, 0
	dhcp, pod, first := dhcpNetwork(20), dhcpNetwork(0), staticNetwork(10)
	cases := map[string]struct {
		reason  string
		nn      *vitistackv1alpha1.NetworkNamespace
		options desired.Options
		want    desired.Network
		wantNIC string
	}{
		"None": {
			reason:  "without a NetworkNamespace a virtual machine is on the pod network",
			wantNIC: "default",
		},
		"DHCP": {
			reason:  "a network with a VLAN in its status is on that VLAN",
			nn:      &dhcp,
			want:    desired.Network{NetworkNamespace: "team-a", Provider: "kea", VLAN: 20},
			wantNIC: "vlan20",
		},
		"Pod": {
			reason:  "a network whose status has no VLAN is the pod network",
			nn:      &pod,
			want:    desired.Network{NetworkNamespace: "team-a", Provider: "kea"},
			wantNIC: "default",
		},
		"Static": {
			reason:  "a static network is on the VLAN of its status",
			nn:      &first,
			want:    static,
			wantNIC: "vlan10",
		},
		"WishInSpec": {
			reason:  "a tenant who writes another VLAN into the spec does not get it",
			nn:      &renumbered,
			want:    static,
			wantNIC: "vlan10",
		},
		"TrustedSpec": {
			reason:  "an administrator may trust the spec, which then comes before the status",
			nn:      &renumbered,
			options: desired.Options{VLANFromSpec: true},
			want:    at20,
			wantNIC: "vlan20",
		},
		"FromStatus": {
			reason:  "a spec without a VLAN leaves it to the status",
			nn:      &fromStatus,
			want:    static,
			wantNIC: "vlan10",
		},
		"Untagged": {
			reason:  "a static network without any VLAN is untagged at once, because no operator will write a status before it is used",
			nn:      &untagged,
			want:    at0,
			wantNIC: "vlan0",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := desired.NetworkFor(tc.nn, tc.options)
			if err != nil {
				t.Fatalf("\n%s\nNetworkFor(...): %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nNetworkFor(...): -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.wantNIC, got.Interface()); diff != "" {
				t.Errorf("\n%s\nInterface(): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
