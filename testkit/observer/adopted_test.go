package observer

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestStolen(t *testing.T) {
	broken := []string{"I9 virtualmachines shop/vm-web"}
	adopt := func(metadata map[string]any) func(n *tale) {
		return func(n *tale) {
			n.put(east, virtualMachines, "shop", "vm-web", webVM, 1, map[string]any{"metadata": metadata})
			n.machine(2, placedIn(east, webVM))
			n.vm(east, webVM, "Always", 3) // with the operator's labels
		}
	}
	supervisor := func(uid string) map[string]any {
		return map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelSupervisorUID: uid}}
	}
	controlled := map[string]any{"ownerReferences": []any{map[string]any{"kind": "VirtualMachinePool", "name": "pool", "uid": "pool",
		"apiVersion": "pool.kubevirt.io/v1beta1", "controller": true}}}
	judge(t, stolen, map[string]situation{
		"a person's":           {reason: "it may be adopted", tell: adopt(map[string]any{})},
		"our own":              {reason: "this supervisor made it earlier", tell: adopt(supervisor("uid-supervisor"))},
		"another supervisor's": {reason: "that one looks after it", tell: adopt(supervisor("another")), want: broken},
		"a controller's":       {reason: "a pool would make another one", tell: adopt(controlled), want: broken},
		"a controller's that stays": {
			reason: "no record names it",
			tell: func(n *tale) {
				n.put(east, virtualMachines, "shop", "vm-web", webVM, 1, map[string]any{"metadata": controlled})
			},
		},
		"made by the operator": {
			reason: "it is no adoption",
			tell: func(n *tale) {
				n.call(east, fleet.OperatorUser, "create", virtualMachines, "vm-web", 201, 1)
				adopt(supervisor("former-id"))(n)
			},
		},
	})
}
