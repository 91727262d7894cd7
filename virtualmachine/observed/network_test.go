package observed_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// TestNetworkReady is about addresses: NetworkReady is True only with those that the network gives.
func TestNetworkReady(t *testing.T) {
	silent := instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) { vmi.Status.Interfaces = nil })
	linkLocal := instance(kubevirtv1.Running, func(vmi *kubevirtv1.VirtualMachineInstance) {
		vmi.Status.Interfaces = []kubevirtv1.VirtualMachineInstanceNetworkInterface{
			{Name: "vlan10", MAC: "02:00:00:00:00:01", IPs: []string{"fe80::1"}},
		}
	})
	static := func(in *observed.Input) { in.Network.Static = []string{"vlan10"} }
	gives := func(i vitistackv1alpha1.NetworkConfigurationInterface) func(*observed.Input) {
		return func(in *observed.Input) {
			nc := vitistackv1alpha1.NetworkConfiguration{}
			nc.Name = "m"
			nc.Status.NetworkInterfaces = []vitistackv1alpha1.NetworkConfigurationInterface{i}
			in.Network.Configurations = []vitistackv1alpha1.NetworkConfiguration{nc}
		}
	}
	own := vitistackv1alpha1.NetworkConfigurationInterface{
		Name: "vlan10", MacAddress: "02:00:00:00:00:01", IPv4Addresses: []string{"10.0.1.21"},
	}
	former := own
	former.MacAddress = "02:00:00:00:00:99"
	failed := func(in *observed.Input) {
		nc := vitistackv1alpha1.NetworkConfiguration{}
		nc.Name, nc.Status.Phase, nc.Status.Message = "m", "Error", "no subnet for\nVLAN 10"
		in.Network.Configurations = append(in.Network.Configurations, nc)
	}
	type result struct{ Network, Ready string }
	cases := map[string]struct {
		reason string
		in     observed.Input
		want   result
	}{
		"DHCP, and the guest reports its address": {
			reason: "The guest has asked for an address and has one.",
			in:     input(with(virtualMachine("Running"), instance(kubevirtv1.Running))),
			want:   result{Network: "True/NetworkConfigured", Ready: "True/Ready"},
		},
		"DHCP, and nobody reports an address": {
			reason: "The condition said that addresses are there; without a guest agent nobody can tell, so Ready stays True.",
			in:     input(with(virtualMachine("Running"), silent)),
			want:   result{Network: "False/WaitingForAddresses", Ready: "True/Ready"},
		},
		"DHCP, and the guest has a link-local address alone": {
			reason: "Every guest has a link-local address as soon as it is up, and nobody can reach it there.",
			in:     input(with(virtualMachine("Running"), linkLocal)),
			want:   result{Network: "False/WaitingForAddresses", Ready: "True/Ready"},
		},
		"DHCP, and the NetworkConfiguration has a reservation": {
			reason: "The operator of addresses knows what a silent guest gets.",
			in:     input(with(virtualMachine("Running"), silent), gives(own)),
			want:   result{Network: "True/NetworkConfigured", Ready: "True/Ready"},
		},
		"DHCP, and the operator of addresses failed": {
			reason: "The error of the NetworkConfiguration reached nobody, and Ready was True.",
			in:     input(with(virtualMachine("Running"), silent), failed),
			want:   result{Network: "False/NetworkConfigurationFailed", Ready: "False/NetworkConfigurationFailed"},
		},
		"DHCP, the operator of addresses failed and the guest has its address": {
			reason: "A failure of the operator of addresses takes no address from a guest that has one.",
			in:     input(with(virtualMachine("Running"), instance(kubevirtv1.Running)), failed),
			want:   result{Network: "False/NetworkConfigurationFailed", Ready: "True/Ready"},
		},
		"static, and no address is given": {
			reason: "What the guest reports is not what the network gave it.",
			in:     input(static, with(virtualMachine("Running"), instance(kubevirtv1.Running))),
			want:   result{Network: "False/WaitingForAddresses", Ready: "False/WaitingForAddresses"},
		},
		"static, and the address is that of an earlier Machine": {
			reason: "An entry with another MAC address is not this Machine's.",
			in:     input(static, with(virtualMachine("Running"), instance(kubevirtv1.Running)), gives(former)),
			want:   result{Network: "False/WaitingForAddresses", Ready: "False/WaitingForAddresses"},
		},
		"static, and the address is given": {
			reason: "The NetworkConfiguration has the address of the recorded interface.",
			in:     input(static, with(virtualMachine("Running"), instance(kubevirtv1.Running)), gives(own)),
			want:   result{Network: "True/NetworkConfigured", Ready: "True/Ready"},
		},
		"a stopped guest on DHCP": {
			reason: "A guest that does not run has no address, and is as it should be.",
			in:     input(with(virtualMachine("Stopped"), nil)),
			want:   result{Network: "False/WaitingForAddresses", Ready: "True/Ready"},
		},
		"a NetworkNamespace that now has another VLAN": {
			reason: "A virtual machine that exists is not rewired, and the difference holds up nothing.",
			in: input(with(virtualMachine("Running"), instance(kubevirtv1.Running)), func(in *observed.Input) {
				in.Problems = []observed.Problem{problem("NetworkChanged")}
			}),
			want: result{Network: "False/NetworkChanged", Ready: "True/NetworkChanged"},
		},
		"no interfaces at all": {
			reason: "A virtual machine without interfaces waits for no address.",
			in: input(with(virtualMachine("Running"), nil), func(in *observed.Input) {
				in.Network = observed.Network{}
			}),
			want: result{Network: "True/NetworkConfigured", Ready: "True/Ready"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status := observed.Status(tc.in)
			got := result{Ready: summarise(status).Ready}
			if c := status.Condition(vitistackv1alpha1.ConditionNetworkReady); c != nil {
				got.Network = string(c.Status) + "/" + c.Reason
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nStatus(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
