package observer

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestTwins(t *testing.T) {
	broken := []string{"I1 Machine shop/web"}
	instance := func(n *tale, cluster, uid, phase string, seconds float64) {
		n.put(cluster, instances, "shop", "vm-web", uid, seconds, map[string]any{
			"metadata": map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: web}},
			"status":   map[string]any{"phase": phase},
		})
	}
	judge(t, twins, map[string]situation{
		"one guest": {
			reason: "one VirtualMachine that runs is what a Machine asks for",
			tell:   func(n *tale) { n.machine(0, nil); n.vm(east, "a", "Always", 1) },
		},
		"two guests": {
			reason: "both may run from the third second on",
			tell:   func(n *tale) { n.machine(0, nil); n.vm(east, "a", "Always", 1); n.vm(west, "b", "Always", 3) },
			want:   broken,
		},
		"two guests for a moment that is over": {
			reason: "that it is over does not mend it",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Always", 1)
				n.vm(west, "b", "Always", 3)
				n.vmGone(west, "b", 6)
			},
			want: broken,
		},
		"events that cross": {
			reason: "the first is off within less than watches may be apart",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Always", 1)
				n.vm(west, "b", "Always", 3)
				n.vm(east, "a", "Halted", 3.5)
			},
		},
		"a move": {
			reason: "the source is stopped before the target starts",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Always", 1)
				n.vm(east, "a", "Halted", 3)
				n.vm(west, "b", "Halted", 3)
				n.vm(west, "b", "Always", 9)
			},
		},
		"an instance that is not gone": {
			reason: "the source is stopped and its instance still runs when the target starts",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Halted", 1)
				instance(n, east, "instance-a", "Running", 1)
				n.vm(west, "b", "Always", 9)
			},
			want: broken,
		},
		"an instance that has ended": {
			reason: "what has ended does not run",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Halted", 1)
				instance(n, east, "instance-a", "Succeeded", 1)
				n.vm(west, "b", "Always", 9)
			},
		},
		"a person's clone": {
			reason: "a clone carries the labels and is not the operator's",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Always", 1)
				n.call(west, "somebody", "create", virtualMachines, "vm-web", 201, 2)
				n.vm(west, "b", "Always", 2)
			},
		},
		"a second one without labels": {
			reason: "the record names it, so that it is the Machine's",
			tell: func(n *tale) {
				n.machine(0, placedIn(west, "b"))
				n.vm(east, "a", "Always", 1)
				n.put(west, virtualMachines, "shop", "vm-web", "b", 2, map[string]any{"spec": map[string]any{"running": true}})
			},
			want: broken,
		},
		"the first is not seen": {
			reason: "while its API server is gone nobody can say whether it runs",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Always", 1)
				n.history.lost(east, virtualMachines, at(2))
				n.vm(west, "b", "Always", 3)
			},
		},
		"the first is seen again": {
			reason: "it ran all the time",
			tell: func(n *tale) {
				n.machine(0, nil)
				n.vm(east, "a", "Always", 1)
				n.history.lost(east, virtualMachines, at(2))
				n.vm(west, "b", "Always", 3)
				n.relist(east, "a", 10)
			},
			want: broken,
		},
	})
}

// relist tells that everything of the VirtualMachines of a cluster was read anew, and one was there.
func (n *tale) relist(cluster, uid string, seconds float64) {
	n.t.Helper()
	object := n.object("shop", "vm-web", uid, vmFields("Always"))
	n.history.listed(cluster, virtualMachines, []unstructured.Unstructured{*object}, object.GetResourceVersion(),
		at(seconds))
}

// TestReturnedTwins: what a restored etcd brings back may run until the operator had time to stop it.
func TestReturnedTwins(t *testing.T) {
	instance := func(n *tale, seconds float64, gone ...bool) {
		n.put(east, instances, "shop", "vm-web", "started-anew", seconds, map[string]any{"metadata": map[string]any{
			"labels":          map[string]any{vitistackv1alpha1.LabelMachineUID: web},
			"ownerReferences": []any{map[string]any{"kind": "VirtualMachine", "uid": "a", "name": "vm-web", "apiVersion": "kubevirt.io/v1"}},
		}}, gone...)
	}
	moved := func(n *tale) { // from east to west; east is restored in the 100th second
		n.machine(0, nil)
		n.vm(east, "a", "Always", 1)
		n.vmGone(east, "a", 20)
		n.vm(west, "b", "Always", 21)
		n.history.lost(east, virtualMachines, at(90))
		n.relist(east, "a", 100)
	}
	judge(t, twins, map[string]situation{
		"the operator stops it": {
			reason: "it had a minute, and needed ten seconds",
			tell:   func(n *tale) { moved(n); n.vm(east, "a", "Halted", 110) },
		},
		"it has started an instance": {
			reason: "that began while the operator had no time to stop it",
			tell: func(n *tale) {
				moved(n)
				instance(n, 102)
				n.vm(east, "a", "Halted", 110)
				instance(n, 120, true)
			},
		},
		"it is started later": {
			reason: "it had been stopped, and somebody started it",
			tell: func(n *tale) {
				moved(n)
				n.vm(east, "a", "Halted", 110)
				n.vm(east, "a", "Always", 150)
			},
			want: []string{"I1 Machine shop/web"},
		},
		"the operator does not": {
			reason: "it had more than a minute",
			tell:   func(n *tale) { moved(n); n.vm(east, "a", "Halted", 170) },
			want:   []string{"I1 Machine shop/web"},
		},
		"the operator cannot": {
			reason: "the proxy of the cluster answers nothing for most of the time",
			tell: func(n *tale) {
				moved(n)
				n.inTrouble(east, true, 100, 160)
				n.vm(east, "a", "Halted", 170)
			},
		},
		"there is no supervisor": {
			reason: "nothing can be known without the records",
			tell: func(n *tale) {
				moved(n)
				n.inTrouble(fleet.Supervisor, true, 100, 160)
				n.vm(east, "a", "Halted", 170)
			},
		},
	})
}
