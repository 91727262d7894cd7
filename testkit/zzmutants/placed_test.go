package observer

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// movedTo writes the record of a move from east, which is committed or not.
func movedTo(stage vitistackv1alpha1.MoveStage) func(m *vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		place := func(cluster, nonce, vmUID string) vitistackv1alpha1.Ledger {
			return vitistackv1alpha1.Ledger{Config: cluster, ClusterUID: "uid-" + cluster, Namespace: "shop", VMName: "vm-web",
				Nonce: nonce, VMUID: vmUID}
		}
		record := vitistackv1alpha1.MoveRecord{ID: "move", Name: "move", Mode: vitistackv1alpha1.MoveModeCold, Stage: stage,
			Was: "Always", From: place(east, "n1", webVM), To: place(west, "n2", "other")}
		m.Annotations = map[string]string{
			vitistackv1alpha1.AnnotationPlacement: record.Place().String(),
			vitistackv1alpha1.AnnotationMove:      record.String(),
		}
	}
}

func TestDisplaced(t *testing.T) {
	judge(t, displaced, map[string]situation{
		"placed once": {
			reason: "the record learns the UID",
			tell: func(n *tale) {
				n.machine(1, nil)
				n.machine(2, placedIn(east, ""))
				n.machine(3, placedIn(east, webVM))
			},
		},
		"placed anew before anything was made": {
			reason: "the record named no VirtualMachine",
			tell:   func(n *tale) { n.machine(1, nil); n.machine(2, placedIn(east, "")); n.machine(3, placedIn(west, "")) },
		},
		"placed anew": {
			reason: "it has a VirtualMachine, and nobody moved it",
			tell:   func(n *tale) { n.machine(1, placedIn(east, webVM)); n.machine(3, placedIn(west, "other")) },
			want:   []string{"I10 machines shop/web"},
		},
		"placed anew out of a silent cluster": {
			reason: "silence decides nothing",
			tell: func(n *tale) {
				n.inTrouble(east, true, 0, 100)
				n.machine(1, placedIn(east, webVM))
				n.machine(30, placedIn(west, "other"))
			},
			want: []string{"I3 machines shop/web"},
		},
		"moved": {
			reason: "the record of the move names both places",
			tell: func(n *tale) {
				n.machine(1, placedIn(east, webVM))
				n.machine(2, movedTo(vitistackv1alpha1.MoveBegun))
				n.machine(3, movedTo(vitistackv1alpha1.MoveCommitted))
				n.machine(4, placedIn(west, "other"))
			},
		},
		"the supervisor was restored": {
			reason: "what it says is older than what it said",
			tell: func(n *tale) {
				n.machine(1, placedIn(west, webVM))
				n.history.restored[fleet.Supervisor] = append(n.history.restored[fleet.Supervisor], at(2))
				n.machine(3, placedIn(east, "former"))
			},
		},
		"placed where there is no cluster": {
			reason: "no KubevirtConfig has the name",
			tell:   func(n *tale) { n.machine(1, nil); n.machine(2, placedIn("cluster-none", "")) },
			want:   []string{"I11 machines shop/web"},
		},
		"placed in a cluster that is paused": {
			reason: "it takes no Machines",
			tell: func(n *tale) {
				n.put(fleet.Supervisor, configs, fleet.ConfigsNamespace, east, "config-"+east, -5,
					map[string]any{"spec": map[string]any{"paused": true}})
				n.machine(1, nil)
				n.machine(2, placedIn(east, ""))
			},
			want: []string{"I11 machines shop/web"},
		},
		"adopted in a cluster that is paused": {
			reason: "its VirtualMachine is there already",
			tell: func(n *tale) {
				n.put(fleet.Supervisor, configs, fleet.ConfigsNamespace, east, "config-"+east, -5,
					map[string]any{"spec": map[string]any{"paused": true}})
				n.vm(east, webVM, "Always", 0)
				n.machine(1, nil)
				n.machine(2, placedIn(east, webVM))
			},
		},
	})
}
