package observer

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// changed tells of a second generation of the VirtualMachine, which somebody made.
func (n *tale) changed(user string, seconds float64) {
	n.call(east, user, "patch", virtualMachines, "vm-web", 200, seconds)
	fields := vmFields("Always")
	fields["metadata"] = map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: web}, "generation": int64(2)}
	n.put(east, virtualMachines, "shop", "vm-web", webVM, seconds, fields)
}

func TestUnasked(t *testing.T) {
	broken := []string{"I14 virtualmachines shop/vm-web"}
	done := all(placedIn(east, webVM), says("True", "Ready", ""))
	larger := func(m *vitistackv1alpha1.Machine) { m.Generation, m.Spec.Memory = 2, 4<<30 }
	rest := func(n *tale) { n.vm(east, webVM, "Always", 1); n.machine(5, done) }
	judge(t, unasked, map[string]situation{
		"for no reason": {
			reason: "the Machine was as it asks, and somebody edited a class",
			tell:   func(n *tale) { rest(n); n.changed(fleet.OperatorUser, 100) },
			now:    200, want: broken,
		},
		"for what the Machine asks": {
			reason: "it asks for more memory",
			tell: func(n *tale) {
				rest(n)
				n.machine(99, all(done, larger, func(m *vitistackv1alpha1.Machine) { m.Status.ObservedGeneration = 1 }))
				n.changed(fleet.OperatorUser, 100)
			},
			now: 200,
		},
		"by a person": {
			reason: "people may change their virtual machines",
			tell:   func(n *tale) { rest(n); n.changed("somebody", 100) },
			now:    200,
		},
		"by both": {
			reason: "nobody can say whose change it is",
			tell: func(n *tale) {
				rest(n)
				n.call(east, "somebody", "patch", virtualMachines, "vm-web", 200, 100)
				n.changed(fleet.OperatorUser, 100)
			},
			now: 200,
		},
		"before it was done": {
			reason: "the Machine does not say yet that it is as it asks",
			tell: func(n *tale) {
				n.vm(east, webVM, "Always", 1)
				n.machine(5, all(placedIn(east, webVM), says("False", "Applying", "a change")))
				n.changed(fleet.OperatorUser, 100)
			},
			now: 200,
		},
		"by a consent": {
			reason: "a person restarts the guest",
			tell: func(n *tale) {
				rest(n)
				n.machine(99, all(done, func(m *vitistackv1alpha1.Machine) {
					m.Annotations[vitistackv1alpha1.AnnotationRestart] = "now"
				}))
				n.changed(fleet.OperatorUser, 100)
			},
			now: 200,
		},
		"after a backup": {
			reason: "what was done is undone, and is done again",
			tell: func(n *tale) {
				rest(n)
				n.history.lost(east, virtualMachines, at(80))
				former := n.object("shop", "vm-web", webVM, vmFields("Always"))
				n.history.listed(east, virtualMachines, []unstructured.Unstructured{*former}, "1", at(90))
				n.changed(fleet.OperatorUser, 100)
			},
			now: 200,
		},
	})
}
