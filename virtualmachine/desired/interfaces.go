package desired

import (
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Interface is a network interface: what a VirtualMachine and a NetworkConfiguration have in
// common.
type Interface struct {
	// Name of the interface, and of its network.
	Name string
	// MAC address, with colons and in lower case.
	MAC string
}

// Interfaces are the interfaces of a VirtualMachine that have a MAC address, in its order. nil
// gives none.
func Interfaces(vm *kubevirtv1.VirtualMachine) []Interface {
	if vm == nil || vm.Spec.Template == nil {
		return nil
	}
	return withMAC(vm.Spec.Template.Spec.Domain.Devices.Interfaces, func(i kubevirtv1.Interface) Interface {
		return Interface{i.Name, i.MacAddress}
	})
}

// configured are the interfaces of a NetworkConfiguration's spec that have a MAC address, in its
// order. nil gives none.
func configured(nc *vitistackv1alpha1.NetworkConfiguration) []Interface {
	if nc == nil {
		return nil
	}
	return withMAC(nc.Spec.NetworkInterfaces, func(i vitistackv1alpha1.NetworkConfigurationInterface) Interface {
		return Interface{i.Name, i.MacAddress}
	})
}

func withMAC[T any](all []T, read func(T) Interface) (interfaces []Interface) {
	for _, each := range all {
		i := read(each)
		if mac, ok := ParseMAC(i.MAC); ok {
			interfaces = append(interfaces, Interface{Name: i.Name, MAC: mac})
		}
	}
	return interfaces
}

// macOf is the MAC address of the first interface of a name in the first list that has one.
func macOf(name string, lists ...[]Interface) (mac string, found bool) {
	for _, list := range lists {
		for _, i := range list {
			if i.Name == name {
				return i.MAC, true
			}
		}
	}
	return "", false
}
