package observer

import (
	"fmt"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestSlowed(t *testing.T) {
	serve := func(n *tale, name string, from, until float64) {
		n.put(fleet.Supervisor, machines, "shop", name, "uid-"+name, from, n.machineFields(func(m *vitistackv1alpha1.Machine) {
			m.Spec.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReference{Name: east}
		}))
		n.put(east, virtualMachines, "shop", "vm-"+name, "vm-uid-"+name, until, map[string]any{
			"metadata": map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: "uid-" + name}}})
	}
	usual := func(n *tale) {
		for i := range baselines {
			serve(n, fmt.Sprint("usual-", i), float64(i), float64(i)+1)
		}
	}
	judge(t, slowed, map[string]situation{
		"as fast as before": {
			reason: "the other cluster is black-holed, and nobody notices",
			tell:   func(n *tale) { usual(n); n.inTrouble(west, true, 20, 300); serve(n, "beside", 30, 32) },
		},
		"late": {
			reason: "it waited for a cluster that it has nothing to do with",
			tell:   func(n *tale) { usual(n); n.inTrouble(west, true, 20, 300); serve(n, "beside", 30, 90) },
			want:   []string{"I5 machines shop/beside"},
		},
		"late in a cluster that is in trouble itself": {
			reason: "it cannot be served",
			tell:   func(n *tale) { usual(n); n.inTrouble(east, true, 20, 80); serve(n, "beside", 30, 90) },
		},
		"late without an operator": {
			reason: "nobody could serve it",
			tell: func(n *tale) {
				usual(n)
				n.inTrouble(west, true, 20, 300)
				n.history.down = []span{{From: at(31), Until: at(80)}}
				serve(n, "beside", 30, 90)
			},
		},
		"nothing to compare with": {
			reason: "nobody knows how long it takes without trouble",
			tell:   func(n *tale) { n.inTrouble(west, true, 20, 300); serve(n, "beside", 30, 90) },
		},
	})
}
