package observer

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestUntold(t *testing.T) {
	broken := []string{"I15 machines shop/web"}
	halted := func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted }
	judge(t, untold, map[string]situation{
		"it says nothing": {
			reason: "it has no place and no condition after a minute",
			tell:   func(n *tale) { n.machine(1, nil) },
			now:    61, want: broken,
		},
		"it has said nothing yet": {
			reason: "it has half a minute",
			tell:   func(n *tale) { n.machine(1, nil) },
			now:    20,
		},
		"it says why": {
			reason: "a reason and a message are what a person needs",
			tell:   func(n *tale) { n.machine(1, says("False", "RemoteRefused", "quota exceeded")) },
			now:    61,
		},
		"it gives a reason alone": {
			reason: "a reason without a message helps nobody",
			tell:   func(n *tale) { n.machine(1, says("False", "RemoteRefused", "")) },
			now:    61, want: broken,
		},
		"it says that all is well": {
			reason: "it asks to be stopped, and its VirtualMachine runs",
			tell: func(n *tale) {
				n.vm(east, webVM, "Always", 1)
				n.machine(1, all(placedIn(east, webVM), halted, says("True", "Ready", "")))
			},
			now: 61, want: broken,
		},
		"all is well": {
			reason: "it asks to be stopped, and is",
			tell: func(n *tale) {
				n.vm(east, webVM, "Halted", 1)
				n.machine(1, all(placedIn(east, webVM), halted, says("True", "Ready", "")))
			},
			now: 61,
		},
		"there is no operator": {
			reason: "nobody is there who could say anything",
			tell:   func(n *tale) { n.machine(1, nil); n.history.down = []span{{From: at(0)}} },
			now:    61,
		},
		"the supervisor was away": {
			reason: "half a minute has not passed since it is back",
			tell:   func(n *tale) { n.machine(1, nil); n.inTrouble(fleet.Supervisor, true, 5, 50) },
			now:    61,
		},
	})
}
