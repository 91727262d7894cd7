package observer

import (
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// phase gives a Machine a phase.
func phase(is vitistackv1alpha1.MachinePhase) func(m *vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) { m.Status.Phase = is }
}

func TestSilenced(t *testing.T) {
	const running, failed = vitistackv1alpha1.MachinePhaseRunning, vitistackv1alpha1.MachinePhaseFailed
	here := placedIn(east, webVM)
	judge(t, silenced, map[string]situation{
		"it stays as it was": {
			reason: "the phase is what it was before the silence",
			tell: func(n *tale) {
				n.inTrouble(east, true, 10, 100)
				n.machine(1, all(here, phase(running)))
				n.machine(50, all(here, phase(running), says("Unknown", "Unreachable", "no answer")))
			},
		},
		"it fails": {
			reason: "loss of contact fails no Machine",
			tell: func(n *tale) {
				n.inTrouble(east, true, 10, 100)
				n.machine(1, all(here, phase(running)))
				n.machine(50, all(here, phase(failed)))
			},
			want: []string{"I4 machines shop/web"},
		},
		"it fails while its cluster answers": {
			reason: "another cluster is silent, and this one has told what is wrong",
			tell: func(n *tale) {
				n.inTrouble(west, true, 10, 100)
				n.machine(1, all(here, phase(running)))
				n.machine(50, all(here, phase(failed)))
			},
		},
		"it fails while its cluster is slow": {
			reason: "a slow cluster gives answers",
			tell: func(n *tale) {
				n.inTrouble(east, false, 10, 100)
				n.machine(1, all(here, phase(running)))
				n.machine(50, all(here, phase(failed)))
			},
		},
		"it fails for what it asks": {
			reason: "a person wrote nonsense into it",
			tell: func(n *tale) {
				n.inTrouble(east, true, 10, 100)
				n.machine(1, all(here, phase(running)))
				n.machine(50, all(here, phase(failed), func(m *vitistackv1alpha1.Machine) { m.Spec.MachineClass = "none" }))
			},
		},
		"it is let go": {
			reason: "nobody can say what became of its VirtualMachine",
			tell: func(n *tale) {
				n.inTrouble(east, true, 10, 100)
				n.vm(east, webVM, "Always", 1)
				n.machine(1, here)
				n.machineGone(50, here)
			},
			want: []string{"I4 machines shop/web"},
		},
		"a person lets it go": {
			reason: "the annotation says so",
			tell: func(n *tale) {
				released := all(here, func(m *vitistackv1alpha1.Machine) {
					m.Annotations[vitistackv1alpha1.AnnotationForceRelease] = east
				})
				n.inTrouble(east, true, 10, 100)
				n.vm(east, webVM, "Always", 1)
				n.machine(1, released)
				n.machineGone(50, released)
			},
		},
	})
}
