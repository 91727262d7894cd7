// Package orphan tells the virtual machines that outlived their Machines. It is pure.
//
//	left := orphan.ClaimsOf(machines).Without("cluster-east", vms)
package orphan

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// VM is a virtual machine that this supervisor made and no Machine lays claim to.
type VM struct {
	// Config is the KubevirtConfig's name of its cluster.
	Config string
	// Object is the virtual machine.
	Object kubevirtv1.VirtualMachine
}

// Name is the namespace and name.
func (v VM) Name() string { return client.ObjectKeyFromObject(&v.Object).String() }

// Claims are what a set of Machines lays claim to: the values of the label of their own UIDs, and
// the UIDs of virtual machines in their ledgers.
type Claims map[string]struct{}

// ClaimsOf returns the claims of Machines. Their metadata is enough.
func ClaimsOf[T client.Object](machines []T) Claims {
	claims := Claims{}
	for _, machine := range machines {
		claims[desired.LabelValue(string(machine.GetUID()))] = struct{}{}
		ledger, err := vitistackv1alpha1.LedgerOf(machine)
		if err == nil && ledger.VMUID != "" {
			claims[ledger.VMUID] = struct{}{}
		}
	}
	return claims
}

// Without returns the virtual machines of one cluster that are not claimed, sorted by name. vms are
// those with this supervisor's label; one without a Machine's is somebody's mistake, and left out:
// it was not made by us.
func (c Claims) Without(config string, vms []kubevirtv1.VirtualMachine) []VM {
	var left []VM
	for i := range vms {
		machine := vms[i].Labels[vitistackv1alpha1.LabelMachineUID]
		if machine == "" || c.has(types.UID(machine)) || c.has(vms[i].UID) {
			continue
		}
		left = append(left, VM{Config: config, Object: vms[i]})
	}
	slices.SortFunc(left, func(a, b VM) int { return cmp.Compare(a.Name(), b.Name()) })
	return left
}

func (c Claims) has(uid types.UID) bool {
	_, found := c[string(uid)]
	return found
}
