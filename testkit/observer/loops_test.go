package observer

import (
	"net/http"
	"testing"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// ask tells of a number of calls about the Machine shop/web, so many seconds apart.
func (n *tale) ask(number int, apart float64) {
	for i := range number {
		n.call(fleet.Supervisor, fleet.OperatorUser, "get", machines, "web", 200, 100+float64(i)*apart)
	}
}

func TestLoops(t *testing.T) {
	judge(t, loops, map[string]situation{
		"within the bound": {
			reason: "as many as are allowed within a minute",
			tell:   func(n *tale) { n.machine(0, nil); n.ask(240, 0.2) },
			now:    200,
		},
		"a loop": {
			reason: "one more than that",
			tell:   func(n *tale) { n.machine(0, nil); n.ask(241, 0.2) },
			now:    200,
			want:   []string{"loop Machine shop/web"},
		},
		"a move": {
			reason: "both sides are looked at while the disks are copied",
			tell:   func(n *tale) { n.machine(90, movedTo(vitistackv1alpha1.MoveBegun)); n.ask(900, 0.05) },
			now:    200,
		},
		"a loop of a move": {
			reason: "that is more than looking takes",
			tell:   func(n *tale) { n.machine(90, movedTo(vitistackv1alpha1.MoveBegun)); n.ask(1000, 0.05) },
			now:    200,
			want:   []string{"loop Machine shop/web"},
		},
		"as many, slowly": {
			reason: "in no minute there are that many",
			tell:   func(n *tale) { n.machine(0, nil); n.ask(241, 0.5) },
			now:    250,
		},
		"watches and leases": {
			reason: "they are none of a Machine's",
			tell: func(n *tale) {
				for range 300 {
					n.call(fleet.Supervisor, fleet.OperatorUser, "watch", machines, "", 200, 100)
					n.call(fleet.Supervisor, fleet.OperatorUser, "update", "leases", "operator", 200, 100)
				}
			},
			now: 200,
		},
		"somebody else's": {
			reason: "people may ask as often as they like",
			tell: func(n *tale) {
				for range 300 {
					n.call(fleet.Supervisor, "somebody", "get", machines, "web", 200, 100)
				}
			},
			now: 200,
		},
		"looks by label": {
			reason: "a list that selects the objects of one Machine is a call for that",
			tell: func(n *tale) {
				n.machine(0, nil)
				for range 241 {
					n.called(east, audit.Call{User: fleet.OperatorUser, Verb: "list", Resource: virtualMachines, Code: 200,
						URI: "/x?labelSelector=vitistack.io%2Fmachine-uid%3D" + web, Received: at(100), Answered: at(100)})
				}
			},
			now:  200,
			want: []string{"loop Machine shop/web"},
		},
	})
}

func TestRestless(t *testing.T) {
	rest := func(s seen) []Violation { return s.restless(at(50)) }
	judge(t, rest, map[string]situation{
		"a probe": {
			reason: "each cluster is probed",
			tell: func(n *tale) {
				n.called(east, audit.Call{User: fleet.OperatorUser, Verb: "get", Resource: namespaces, Name: "kube-system", Code: 200,
					Received: at(100), Answered: at(100)})
			},
			now: 200,
		},
		"a call before": {
			reason: "it was not at rest yet",
			tell:   func(n *tale) { n.call(east, fleet.OperatorUser, "get", virtualMachines, "vm-web", 200, 40) },
			now:    200,
		},
		"the last look": {
			reason: "a creation that was cut off could arrive until now",
			tell: func(n *tale) {
				n.owed(100)
				n.call(fleet.Supervisor, fleet.OperatorUser, "get", machines, "web", 200, 101)
				n.call(east, fleet.OperatorUser, "get", virtualMachines, "vm-web", 200, 101)
			},
			now: 200,
		},
		"a look before it": {
			reason: "what arrives late is an event, and looks for it are none",
			tell: func(n *tale) {
				n.owed(300)
				n.call(east, fleet.OperatorUser, "get", virtualMachines, "vm-web", 200, 101)
			},
			now:  200,
			want: []string{"I12 cluster-east virtualmachines shop/vm-web"},
		},
		"a call": {
			reason: "one is one too many",
			tell: func(n *tale) {
				n.vm(east, webVM, "Always", 1)
				n.machine(1, placedIn(east, webVM))
				n.call(east, fleet.OperatorUser, "get", virtualMachines, "vm-web", 200, 100)
			},
			now:  200,
			want: []string{"I12 Machine shop/web"},
		},
	})
}

func TestHammered(t *testing.T) {
	try := func(n *tale, number, code int) {
		n.machine(0, placedIn(east, ""))
		for i := range number {
			n.call(east, fleet.OperatorUser, "create", virtualMachines, "vm-web", code, 100+float64(i))
		}
	}
	judge(t, hammered, map[string]situation{
		"backed off": {
			reason: "after 1, 2, 4, 8, 16 and 32 seconds there were seven attempts",
			tell:   func(n *tale) { try(n, 7, http.StatusForbidden) },
			now:    200,
		},
		"not backed off": {
			reason: "it is tried each second",
			tell:   func(n *tale) { try(n, 12, http.StatusForbidden) },
			now:    200,
			want:   []string{"I15 cluster-east virtualmachines shop/vm-web"},
		},
		"a conflict": {
			reason: "whoever was overtaken looks again and goes on",
			tell:   func(n *tale) { try(n, 12, http.StatusConflict) },
			now:    200,
		},
		"the operator has started anew": {
			reason: "it does not remember what it tried",
			tell: func(n *tale) {
				n.history.down = []span{{From: at(104), Until: at(105)}}
				try(n, 12, http.StatusForbidden)
			},
			now: 200,
		},
		"the Machine was changed": {
			reason: "a wish is tried at once",
			tell: func(n *tale) {
				n.vm(east, webVM, "Always", 1)
				try(n, 12, http.StatusForbidden)
				n.machine(105, all(placedIn(east, ""), func(m *vitistackv1alpha1.Machine) { m.Spec.Memory = 1 << 30 }))
			},
			now: 200,
		},
	})
}

// owed writes down that a creation for the Machine may still arrive until a second.
func (n *tale) owed(until float64) {
	n.t.Helper()
	n.put(fleet.Supervisor, configMaps, fleet.ConfigsNamespace, vitistackv1alpha1.DebtsConfigMap, "debts", 1,
		map[string]any{"data": map[string]any{web: `{"machine":"web","uid":"` + web + `","late":"` +
			at(until).Format(time.RFC3339Nano) + `","ledger":{"config":"` + east + `","clusterUID":"uid-` + east +
			`","namespace":"shop","vmName":"vm-web","nonce":"n"}}`}})
}
